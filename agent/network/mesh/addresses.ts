/** What this machine's interfaces and neighbours tell of the networks that it is on. */
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import type { Command } from "../commands.ts";

/** Interfaces that lead to nobody outside. */
const INNER = /^(lo|veth|br-|docker|cni|s[klw]-|nerdctl|virbr|flannel|wg|tun|tap|tailscale)/;
const MOST_ADDRESSES = 6;

/** Addresses on networks of ours from which nothing answers. */
export async function silentNeighbours(command: Command): Promise<Set<string>> {
  const text = await command("ip", ["-j", "-4", "neigh", "show", "nud", "failed"]).catch(() => "[]");
  return new Set((JSON.parse(text || "[]") as { dst?: string }[]).flatMap(({ dst }) => dst ?? []));
}

/** The networks that machines of one place share with this one: no tunnel is any. */
export function ownNetworks(): BlockList {
  const networks = new BlockList();
  for (const [device, list] of Object.entries(networkInterfaces()))
    for (const { internal, cidr, family } of INNER.test(device) ? [] : (list ?? [])) {
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
