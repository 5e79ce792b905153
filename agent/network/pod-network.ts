import { readFile, writeFile } from "node:fs/promises";
import { nthAddress } from "../../worker/lib/config.ts";
import { attempt, type Command } from "./commands.ts";
import { Forwarding } from "./forwarding.ts";
import type { Identity } from "./identity.ts";
import { PodNamespaces } from "./pod-namespaces.ts";

/** Of our routes, in `ip route`; no other well-known program uses it. */
export const ROUTE_PROTOCOL = "142";

export type PodNetworkOptions = {
  command: Command;
  identity: Identity;
  podCIDR: string;
  serviceCIDR: string;
};

/**
 * The addresses of this node's pods. Each pod has its own veth pair and a host route, and reaches all else through the
 * gateway. So every packet between two pods passes the node's connection tracking both ways, which a bridge gives only
 * with br_netfilter: Services keep the client's address without any kernel module.
 */
export class PodNetwork {
  readonly #options: PodNetworkOptions;
  readonly #forwarding: Forwarding;
  #mtu = 1500;
  #namespaces: PodNamespaces | undefined;

  constructor(options: PodNetworkOptions) {
    this.#options = options;
    this.#forwarding = new Forwarding(options.command, options.podCIDR, options.identity.table);
  }

  /** Address on which the node answers its pods. */
  get gateway(): string {
    return nthAddress(this.#options.podCIDR, 1);
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
    await setSysctl("ip_forward", "1");
    // Lets 127.0.0.1:NODEPORT work; a rule of ours drops such packets from outside.
    await setSysctl("conf/all/route_localnet", "1");
    // A pod that reaches itself leaves by the interface it came from; redirects for that would use up the allowance of
    // ICMP messages that refusals need. Both, since an interface takes the one at its birth and obeys either.
    await setSysctl("conf/all/send_redirects", "0");
    await setSysctl("conf/default/send_redirects", "0");
    await this.ensure();
    this.#mtu = await this.#outsideMtu();
    const namespaces = this.#makeNamespaces(this.#mtu);
    await namespaces.load();
    this.#namespaces = namespaces;
  }

  #makeNamespaces(mtu: number): PodNamespaces {
    const { command, identity, podCIDR } = this.#options;
    return new PodNamespaces({ command, prefix: identity.namespace, podCIDR, gateway: this.gateway, mtu });
  }

  /** Lets other nodes in at these UDP ports, where the machine's own firewall would not. */
  admit(ports: readonly number[]): Promise<void> {
    return this.#forwarding.admit(ports);
  }

  /** Puts back what other programs of the machine may have taken away. */
  async ensure(): Promise<void> {
    await this.#ensureAnchor();
    await this.#forwarding.ensure();
  }

  /**
   * The interface that holds the gateway's address while there is no pod, and the route that lets the node's own
   * processes name a service address: it gives them a source address before the destination is translated.
   */
  async #ensureAnchor(): Promise<void> {
    const { command, identity, serviceCIDR } = this.#options;
    const { anchor, metric } = identity;
    await attempt(command("ip", ["link", "add", anchor, "type", "bridge"]));
    await command("ip", ["link", "set", anchor, "up"]);
    await command("ip", ["address", "replace", `${this.gateway}/32`, "dev", anchor]);
    const route = [serviceCIDR, "dev", anchor, "src", this.gateway];
    await command("ip", ["route", "replace", ...route, "proto", ROUTE_PROTOCOL, "metric", `${metric}`]);
  }

  /** An anchor of other addresses, left by a time when this node had another pod CIDR. */
  async #dropOldAnchor(): Promise<void> {
    const { command, identity } = this.#options;
    const text = await command("ip", ["-j", "-4", "address", "show", "dev", identity.anchor]).catch(() => "[]");
    const links = JSON.parse(text || "[]") as { addr_info?: { local?: string }[] }[];
    const addresses = links.flatMap((link) => link.addr_info ?? []).map(({ local }) => local);
    if (addresses.some((address) => address !== this.gateway))
      await attempt(command("ip", ["link", "delete", identity.anchor]));
  }

  async remove(): Promise<void> {
    const { command, identity } = this.#options;
    await this.#forwarding.remove();
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
    const { command, podCIDR, identity } = this.#options;
    const links = JSON.parse(await command("ip", ["-j", "-4", "address", "show", "to", podCIDR])) as {
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
  const path = `/proc/sys/net/ipv4/${name}`;
  const now = await readFile(path, "utf8").catch(() => "");
  if (now.trim() !== value) await writeFile(path, value);
}
