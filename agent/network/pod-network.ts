import { readdir, readFile, writeFile } from "node:fs/promises";
import { nthAddress } from "../../worker/lib/config.ts";
import { attempt, type Command, hostAddress } from "./commands.ts";
import { Forwarding } from "./forwarding.ts";
import type { Identity } from "./identity.ts";
import { PodNamespaces } from "./pod-namespaces.ts";
import type { NetworkRanges } from "./types.ts";

/** Of our routes, in `ip route`; no other well-known program uses it. */
export const ROUTE_PROTOCOL = "142";

/** The machine's own firewalls, by family. */
const FIREWALLS = ["iptables", "ip6tables"] as const;

export type PodNetworkOptions = NetworkRanges & {
  command: Command;
  identity: Identity;
  ipv6?: NetworkRanges;
};

/**
 * The addresses of this node's pods. Each pod has its own veth pair and a host route, and reaches all else through the
 * gateway. So every packet between two pods passes the node's connection tracking both ways, which a bridge gives only
 * with br_netfilter: Services keep the client's address without any kernel module.
 */
export class PodNetwork {
  readonly #options: PodNetworkOptions;
  readonly #forwarding: readonly Forwarding[];
  #mtu = 1500;
  #namespaces: PodNamespaces | undefined;

  constructor(options: PodNetworkOptions) {
    this.#options = options;
    const { command, identity } = options;
    this.#forwarding = FIREWALLS.map((program, i) => {
      const { podCIDR } = this.#ranges[i] ?? {};
      return new Forwarding({ command, program, podCIDR, owner: identity.table });
    });
  }

  /** Address on which the node answers its pods. */
  get gateway(): string {
    return nthAddress(this.#options.podCIDR, 1);
  }

  /** The same of each family. */
  get gateways(): string[] {
    return this.#ranges.map(({ podCIDR }) => nthAddress(podCIDR, 1));
  }

  /** Of each family, IPv4 first. */
  get #ranges(): NetworkRanges[] {
    const { podCIDR, serviceCIDR, ipv6 } = this.#options;
    return [{ podCIDR, serviceCIDR }, ...(ipv6 ? [ipv6] : [])];
  }

  /** That of the way out of this machine, once `start` has resolved. */
  get mtu(): number {
    return this.#mtu;
  }

  /** There once `start` has resolved. */
  get namespaces(): PodNamespaces | undefined {
    return this.#namespaces;
  }

  async start(): Promise<void> {
    await this.#refuseOverlap();
    await this.#dropOldAnchor();
    await setSysctl("ipv4/ip_forward", "1");
    // Lets 127.0.0.1:NODEPORT work; a rule of ours drops such packets from outside.
    await setSysctl("ipv4/conf/all/route_localnet", "1");
    // A pod that reaches itself leaves by the interface it came from; redirects for that would use up the allowance of
    // ICMP messages that refusals need. Both, since an interface takes the one at its birth and obeys either.
    await setSysctl("ipv4/conf/all/send_redirects", "0");
    await setSysctl("ipv4/conf/default/send_redirects", "0");
    if (this.#options.ipv6) await forwardIPv6();
    await this.ensure();
    this.#mtu = await this.#outsideMtu();
    const namespaces = this.#makeNamespaces(this.#mtu);
    await namespaces.load();
    this.#namespaces = namespaces;
  }

  #makeNamespaces(mtu: number): PodNamespaces {
    const { command, identity, podCIDR, ipv6 } = this.#options;
    const [gateway = "", gateway6] = this.gateways;
    const second = ipv6 && gateway6 ? { ipv6: { podCIDR: ipv6.podCIDR, gateway: gateway6 } } : {};
    return new PodNamespaces({ command, prefix: identity.namespace, podCIDR, gateway, ...second, mtu });
  }

  /** Lets other nodes in at these UDP ports, where the machine's own firewall would not. */
  async admit(ports: readonly number[]): Promise<void> {
    for (const firewall of this.#forwarding) await firewall.admit(ports);
  }

  /** Puts back what other programs of the machine may have taken away. */
  async ensure(): Promise<void> {
    await this.#ensureAnchor();
    for (const firewall of this.#forwarding) await firewall.ensure();
  }

  /**
   * The interface that holds the gateway's address while there is no pod, and the route that lets the node's own
   * processes name a service address: it gives them a source address before the destination is translated.
   */
  async #ensureAnchor(): Promise<void> {
    const { command, identity } = this.#options;
    const { anchor, metric } = identity;
    await attempt(command("ip", ["link", "add", anchor, "type", "bridge"]));
    await command("ip", ["link", "set", anchor, "up"]);
    for (const { podCIDR, serviceCIDR } of this.#ranges) {
      const gateway = nthAddress(podCIDR, 1);
      await command("ip", ["address", "replace", ...hostAddress(gateway), "dev", anchor]);
      const route = [serviceCIDR, "dev", anchor, "src", gateway];
      await command("ip", ["route", "replace", ...route, "proto", ROUTE_PROTOCOL, "metric", `${metric}`]);
    }
  }

  /** An anchor of other addresses, left by a time when this node had another pod CIDR. */
  async #dropOldAnchor(): Promise<void> {
    const { command, identity } = this.#options;
    const text = await command("ip", ["-j", "address", "show", "dev", identity.anchor, "scope", "global"]).catch(
      () => "[]",
    );
    const links = JSON.parse(text || "[]") as { addr_info?: { local?: string }[] }[];
    const addresses = links.flatMap((link) => link.addr_info ?? []).map(({ local }) => local);
    if (addresses.some((address) => address && !this.gateways.includes(address)))
      await attempt(command("ip", ["link", "delete", identity.anchor]));
  }

  async remove(): Promise<void> {
    const { command, identity } = this.#options;
    for (const firewall of this.#forwarding) await firewall.remove();
    const namespaces = this.#makeNamespaces(0);
    for (const name of namespaces.names()) await namespaces.close(name);
    await attempt(command("ip", ["link", "delete", identity.anchor]));
  }

  /** That of the interface which leads out, so that no packet of a pod is too large for it. */
  async #outsideMtu(): Promise<number> {
    const routes = JSON.parse(await this.#options.command("ip", ["-j", "route", "show", "default"])) as {
      dev?: string;
    }[];
    const device = routes[0]?.dev;
    if (!device) return 1500;
    const text = await readFile(`/sys/class/net/${device}/mtu`, "utf8").catch(() => "1500");
    return Number(text) || 1500;
  }

  /** Two networks with the same addresses would take each other's packets: say so instead. */
  async #refuseOverlap(): Promise<void> {
    for (const { podCIDR } of this.#ranges) await this.#refuseOverlapOf(podCIDR);
  }

  async #refuseOverlapOf(podCIDR: string): Promise<void> {
    const { command, identity } = this.#options;
    const links = JSON.parse(await command("ip", ["-j", "address", "show", "to", podCIDR])) as {
      ifname?: string;
      link_netnsid?: number;
      addr_info?: { local?: string; prefixlen?: number }[];
    }[];
    const other = links.find((link) => {
      const ours = [identity.anchor, identity.tunnel].includes(link.ifname ?? "") || /^veth/.test(link.ifname ?? "");
      return link.addr_info?.length && !ours;
    });
    if (other) throw new Error(`pod addresses ${podCIDR} are in use by interface ${other.ifname} of this machine`);
  }
}

async function setSysctl(name: string, value: string): Promise<void> {
  const path = `/proc/sys/net/${name}`;
  const now = await readFile(path, "utf8").catch(() => "");
  if (now.trim() !== value) await writeFile(path, value);
}

/** A machine that forwards takes no routes from its router any more, unless each interface is told to do so all the same. */
async function forwardIPv6(): Promise<void> {
  const folder = "/proc/sys/net/ipv6/conf";
  for (const device of await readdir(folder)) {
    const accepts = await readFile(`${folder}/${device}/accept_ra`, "utf8").catch(() => "");
    if (accepts.trim() === "1") await attempt(writeFile(`${folder}/${device}/accept_ra`, "2"));
  }
  await setSysctl("ipv6/conf/all/forwarding", "1");
}
