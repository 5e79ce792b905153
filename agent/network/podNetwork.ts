import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nthAddress } from "../../worker/lib/config.ts";
import { attempt, type Command } from "./commands.ts";
import { Forwarding } from "./forwarding.ts";
import type { Identity } from "./identity.ts";

/** Of our routes, in `ip route`; no other well-known program uses it. */
export const ROUTE_PROTOCOL = "142";

export type PodNetworkOptions = {
  command: Command;
  identity: Identity;
  podCIDR: string;
  serviceCIDR: string;
  /** Folder of the CNI configuration that nerdctl reads (`cni_netconfpath`). */
  configPath: string;
  /** Folder of address leases. */
  leasesPath: string;
};

/**
 * The addresses of this node's pods. Each pod has its own veth pair and a host route (CNI plugin ptp), and reaches all
 * else through the gateway. So every packet between two pods passes the node's connection tracking both ways, which a
 * bridge gives only with br_netfilter: Services keep the client's address without any kernel module.
 */
export class PodNetwork {
  readonly #options: PodNetworkOptions;
  readonly #forwarding: Forwarding;

  constructor(options: PodNetworkOptions) {
    this.#options = options;
    this.#forwarding = new Forwarding(options.command, options.podCIDR, options.identity.table);
  }

  /** Address on which the node answers its pods. */
  get gateway(): string {
    return nthAddress(this.#options.podCIDR, 1);
  }

  async start(): Promise<void> {
    const { configPath, leasesPath, identity } = this.#options;
    await this.#refuseOverlap();
    await this.#dropOldAnchor();
    await mkdir(configPath, { recursive: true });
    await mkdir(leasesPath, { recursive: true });
    await writeFile(configFile(configPath, identity), `${JSON.stringify(this.#config(await this.#mtu()), null, 2)}\n`);
    await setSysctl("ip_forward", "1");
    // Lets 127.0.0.1:NODEPORT work; a rule of ours drops such packets from outside.
    await setSysctl("conf/all/route_localnet", "1");
    // A pod that reaches itself leaves by the interface it came from; redirects for that would use up the allowance of
    // ICMP messages that refusals need. Both, since an interface takes the one at its birth and obeys either.
    await setSysctl("conf/all/send_redirects", "0");
    await setSysctl("conf/default/send_redirects", "0");
    await this.ensure();
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
    const { command, configPath, identity, leasesPath } = this.#options;
    await this.#forwarding.remove();
    await attempt(command("ip", ["link", "delete", identity.anchor]));
    await rm(configFile(configPath, identity), { force: true });
    await rm(leasesPath, { recursive: true, force: true });
  }

  /** Addresses given out, with the id of the container that has each. */
  async leases(): Promise<{ address: string; container: string }[]> {
    const folder = join(this.#options.leasesPath, this.#options.identity.network);
    const names = await readdir(folder).catch(() => []);
    const leases = await Promise.all(
      names
        .filter((name) => /^\d+\.\d+\.\d+\.\d+$/.test(name))
        .map(async (address) => {
          const text = await readFile(join(folder, address), "utf8").catch(() => "");
          return { address, container: containerOf(text) };
        }),
    );
    return leases.filter(({ container }) => container !== "");
  }

  /** Gives back the address of a container that is gone and whose own removal failed to. */
  async release(address: string): Promise<void> {
    await rm(join(this.#options.leasesPath, this.#options.identity.network, address), { force: true });
  }

  #config(mtu: number) {
    const { identity, podCIDR, leasesPath } = this.#options;
    return {
      cniVersion: "1.0.0",
      name: identity.network,
      plugins: [
        {
          type: "ptp",
          ipMasq: false,
          mtu,
          ipam: {
            type: "host-local",
            dataDir: leasesPath,
            ranges: [[{ subnet: podCIDR, gateway: this.gateway }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
      ],
    };
  }

  /** That of the interface which leads out, so that no packet of a pod is too large for it. */
  async #mtu(): Promise<number> {
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
      const ours = link.ifname === identity.anchor || /^veth/.test(link.ifname ?? "");
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

function configFile(folder: string, identity: Identity): string {
  return join(folder, `${identity.network}.conflist`);
}

/** A lease's first line: containerd's namespace, a dash, and the container's id. */
function containerOf(lease: string): string {
  const owner = lease.split("\n")[0]?.trim() ?? "";
  return owner.slice(owner.lastIndexOf("-") + 1);
}
