import { isIPv6 } from "node:net";
import { attempt, type Command, CommandError, hostAddress } from "../commands.ts";
import type { Endpoint } from "./stun.ts";

export type DeviceOptions = {
  command: Command;
  /** Name of the interface, and of the nftables table that goes with it. */
  name: string;
  /** WireGuard's UDP port. */
  port: number;
  keyFile: string;
};

/** What WireGuard has of one other node. */
export type DevicePeer = { endpoint: Endpoint; handshakeAt: number; receivedBytes: number; sentBytes: number };

/** Of the wanted peers: their addresses, and where to send. */
export type WantedPeer = { podCIDRs: readonly string[]; endpoint: Endpoint };

/** What WireGuard adds to a packet over IPv4 is 60 bytes; DS-Lite takes 40 more of what leads out of a home. */
const OVERHEAD_BYTES = 100;
const MTU = { least: 1280, most: 1400 };

export const meshMtu = (outside: number): number => Math.max(MTU.least, Math.min(MTU.most, outside - OVERHEAD_BYTES));

const clamp = (name: string) => `oifname "${name}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`;

const clampIPv6 = (name: string): string => `
add table ip6 ${name}
delete table ip6 ${name}
table ip6 ${name} {
  chain postrouting {
    type filter hook postrouting priority mangle
    ${clamp(name)}
  }
}
`;

/**
 * WireGuard's port is shared with the checks: what they send gets its number on the way out, and what comes to it as STUN
 * gets theirs on the way in. Neither may be tracked, or it would be translated back. STUN begins with 0x0001 or 0x0101,
 * WireGuard's messages with 0x0100 to 0x0400. What is too large for the tunnel is told so when a connection begins.
 */
const sharing = (name: string, port: number, checksPort: number): string => `
add table ip ${name}
delete table ip ${name}
table ip ${name} {
  chain prerouting {
    type filter hook prerouting priority raw
    udp dport ${port} @th,64,16 { 0x0001, 0x0101 } notrack udp dport set ${checksPort}
  }
  chain output {
    type filter hook output priority raw
    udp sport ${checksPort} notrack
  }
  chain postrouting {
    type filter hook postrouting priority mangle
    udp sport ${checksPort} udp sport set ${port}
    ${clamp(name)}
  }
}
`;

/** This node's WireGuard interface: the kernel's, or else one of wireguard-go, a process that lives on without the agent. */
export class Device {
  readonly #options: DeviceOptions;
  /** As last told, by public key. */
  readonly #peers = new Map<string, WantedPeer>();
  #checksPort = 0;
  #setUp: { addresses: readonly string[]; mtu: number } | undefined;
  /** It was gone, and is not yet what it was. */
  #isLost = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  /** Lets the checks have the port's other half; the interface need not be there. */
  async share(checksPort: number): Promise<void> {
    const { command, name, port } = this.#options;
    await command("nft", ["-f", "-"], sharing(name, port, checksPort));
    this.#checksPort = checksPort;
  }

  /** Makes the interface, or takes over the one that is there. `addresses` are what this node's own processes come from. */
  async up(addresses: readonly string[], outsideMtu: number): Promise<void> {
    const { command, name, port, keyFile } = this.#options;
    const mtu = meshMtu(outsideMtu);
    if (!(await this.#isThere())) await this.#make();
    await command("wg", ["set", name, "listen-port", `${port}`, "private-key", keyFile]);
    for (const address of addresses) await command("ip", ["address", "replace", ...hostAddress(address), "dev", name]);
    await command("ip", ["link", "set", name, "mtu", `${mtu}`, "up"]);
    if (addresses.some(isIPv6)) await command("nft", ["-f", "-"], clampIPv6(name));
    // A way may change between two packets of a connection.
    await command("sh", ["-c", `echo 2 >/proc/sys/net/ipv4/conf/${name}/rp_filter`]);
    this.#setUp = { addresses, mtu };
  }

  /** An earlier run may have known others. */
  async keep(keys: ReadonlySet<string>): Promise<void> {
    for (const key of Object.keys(await this.peers())) if (!keys.has(key)) await this.#forget(key);
  }

  async #make(): Promise<void> {
    const { command, name } = this.#options;
    try {
      await command("ip", ["link", "add", name, "type", "wireguard"]);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      await command("wireguard-go", [name]);
    }
  }

  async #isThere(): Promise<boolean> {
    const { command, name } = this.#options;
    return command("ip", ["link", "show", "dev", name]).then(
      () => true,
      () => false,
    );
  }

  /** Puts back what is missing of it: another program may have flushed tables, and wireguard-go may have ended. */
  async verify(): Promise<void> {
    const { command, name } = this.#options;
    if (this.#checksPort) {
      const table = await command("nft", ["list", "table", "ip", name]).catch(() => "");
      if (!table) await this.share(this.#checksPort);
      if (!table && this.#setUp?.addresses.some(isIPv6)) await command("nft", ["-f", "-"], clampIPv6(name));
    }
    if (!this.#setUp || (!this.#isLost && (await this.#isThere()))) return;
    this.#isLost = true;
    const { addresses, mtu } = this.#setUp;
    await this.up(addresses, mtu + OVERHEAD_BYTES);
    for (const [key, peer] of [...this.#peers]) await this.set(key, peer);
    this.#isLost = false;
  }

  /** Has WireGuard send a node's packets to an endpoint, until it is told of another. */
  async set(key: string, { podCIDRs, endpoint }: WantedPeer): Promise<void> {
    const { command, name } = this.#options;
    this.#peers.set(key, { podCIDRs, endpoint });
    await command("wg", ["set", name, "peer", key, "allowed-ips", podCIDRs.join(), "endpoint", endpoint]);
  }

  async forget(key: string): Promise<void> {
    if (this.#peers.delete(key)) await this.#forget(key);
  }

  #forget(key: string): Promise<void> {
    const { command, name } = this.#options;
    return attempt(command("wg", ["set", name, "peer", key, "remove"]));
  }

  /** What WireGuard knows, by public key. */
  async peers(): Promise<Record<string, DevicePeer>> {
    const { command, name } = this.#options;
    const text = await command("wg", ["show", name, "dump"]).catch(() => "");
    const rows = text.trim().split("\n").slice(1);
    return Object.fromEntries(rows.map((row) => peerOf(row.split("\t"))));
  }

  async kind(): Promise<"kernel" | "wireguard-go" | "not needed yet"> {
    const { command, name } = this.#options;
    const text = await command("ip", ["-j", "-d", "link", "show", "dev", name]).catch(() => "[]");
    const [link] = JSON.parse(text || "[]") as { linkinfo?: { info_kind?: string } }[];
    if (!link) return "not needed yet";
    return link.linkinfo?.info_kind === "wireguard" ? "kernel" : "wireguard-go";
  }

  async remove(): Promise<void> {
    const { command, name } = this.#options;
    await attempt(command("ip", ["link", "delete", name]));
    for (const family of ["ip", "ip6"]) await attempt(command("nft", ["delete", "table", family, name]));
  }
}

/** https://man7.org/linux/man-pages/man8/wg.8.html, of `show … dump`. */
function peerOf([key = "", , endpoint = "", , handshake, received, sent]: string[]): [string, DevicePeer] {
  return [
    key,
    {
      endpoint: endpoint === "(none)" ? "" : endpoint,
      handshakeAt: Number(handshake) * 1000,
      receivedBytes: Number(received),
      sentBytes: Number(sent),
    },
  ];
}
