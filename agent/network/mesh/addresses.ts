/** What this machine's interfaces and neighbours tell of the networks that it is on. */
import { existsSync, readFileSync } from "node:fs";
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Command } from "../commands.ts";

/** Interfaces that lead to nobody outside. */
const INNER = /^(lo|veth|br-|docker|cni|s[klw]-|nerdctl|virbr|flannel|wg|tun|tap|tailscale)/;
const MOST_ADDRESSES = 6;

/** Addresses on networks of ours from which nothing answers. */
export async function silentNeighbours(command: Command): Promise<Set<string>> {
  const text = await command("ip", ["-j", "-4", "neigh", "show", "nud", "failed"]).catch(() => "[]");
  return new Set((JSON.parse(text || "[]") as { dst?: string }[]).flatMap(({ dst }) => dst ?? []));
}

/** ARPHRD_ETHER of the kernel's if_arp.h, which Wi-Fi is, too. */
const ETHERNET = "1";

/** Whatever its name: WireGuard's, PPP's and TUN's are no Ethernet, and a program that makes one up has a TAP device. */
function isTunnel(device: string, folder: string): boolean {
  const path = join(folder, device);
  try {
    return existsSync(join(path, "tun_flags")) || readFileSync(join(path, "type"), "utf8").trim() !== ETHERNET;
  } catch {
    return false; // nothing tells of it here
  }
}

/** The networks that machines of one place share with this one: no tunnel is any. `folder` tells of the devices. */
export function ownNetworks(devices = networkInterfaces(), folder = "/sys/class/net"): BlockList {
  const networks = new BlockList();
  for (const [device, list] of Object.entries(devices))
    for (const { internal, cidr, family } of INNER.test(device) || isTunnel(device, folder) ? [] : (list ?? [])) {
      const [address = "", bits] = internal ? [] : (cidr?.split("/") ?? []);
      if (address && !address.startsWith("fe80:"))
        networks.addSubnet(address, Number(bits), family === "IPv4" ? "ipv4" : "ipv6");
    }
  return networks;
}

/** Where other machines may reach this one. */
export function ownAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([device]) => !INNER.test(device))
    .flatMap(([, list]) => (list ?? []).flatMap((a) => (a.family === "IPv4" && !a.internal ? [a.address] : [])))
    .slice(0, MOST_ADDRESSES);
}
