import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { nthAddress } from "../../worker/lib/config.ts";
import { batcher } from "../batching.ts";
import { limiter } from "../limiter.ts";
import { attempt, type Command, hostAddress } from "./commands.ts";
import { isNamespace } from "./namespace-file.ts";

/** Where `ip netns` keeps the namespaces that it made; nothing there outlives the machine's run. */
const FOLDER = "/run/netns";
/** The first two addresses of a node are its network's own and its gateway's. */
const FIRST_POD = 2;

/** Of many that are asked for at once, so many are made together: `ip` costs more to start than what it does. */
const OPENED_AT_ONCE = 20;
/** The outside of all of them, then each one's inside. */
const BOTH_SIDES =
  'echo "$1" | ip -batch -; shift; while [ $# -gt 0 ]; do echo "$2" | ip -n "$1" -batch -; shift 2; done';

export type PodNamespacesOptions = {
  command: Command;
  /** Tells this node's namespaces from those of others on the machine. */
  prefix: string;
  podCIDR: string;
  gateway: string;
  /** Addresses of a second family: each pod's is as many after the first one as in the first family. */
  ipv6?: { podCIDR: string; gateway: string };
  mtu: number;
};

/** How a pod's way out is called in IPv6, and the pod to it: on each veth pair alone. */
const LINK_LOCAL = { outside: "fe80::1/64", inside: "fe80::2/64" };

const GATEWAY = LINK_LOCAL.outside.split("/")[0];

/** Ready at once: what the kernel would choose is first looked for on the network, for a second or two. */
const linkLocal = (device: string, address: string): string[] => [
  `link set ${device} addrgenmode none`,
  `address add ${address} dev ${device} nodad`,
];

const numberOf = (address: string): number => address.split(".").reduce((value, part) => value * 256 + Number(part), 0);

/**
 * The network namespaces of a node's pods, each with an address, a veth pair and a host route, and a way out through the
 * gateway. They belong to no process, so that no container has to run to keep one. What is there and which addresses are
 * in use is read from the kernel, which alone knows it for sure.
 */
export class PodNamespaces {
  readonly #options: PodNamespacesOptions;
  /** By address: whose it is. */
  readonly #addresses = new Map<string, string>();
  #last = FIRST_POD - 1;
  /** Resolves to what could not be made, with the cause. */
  readonly #make = batcher(limiter(1), OPENED_AT_ONCE, (names) => this.#makeAll(names));

  constructor(options: PodNamespacesOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier run made. */
  async load(): Promise<void> {
    const { command, podCIDR } = this.#options;
    const names = new Map(this.names().map((name) => [this.#device(name), name]));
    const routes = JSON.parse((await command("ip", ["-j", "-4", "route", "show", "root", podCIDR])) || "[]") as {
      dst?: string;
      dev?: string;
    }[];
    for (const { dst = "", dev = "" } of routes) {
      const name = names.get(dev);
      if (name) this.#addresses.set(dst, name);
    }
  }

  /** The pods' names for all that are there, whole or not. */
  names(): string[] {
    if (!existsSync(FOLDER)) return [];
    const prefix = `${this.#options.prefix}-`;
    return readdirSync(FOLDER).flatMap((file) => (file.startsWith(prefix) ? [file.slice(prefix.length)] : []));
  }

  /** The file that stands for a namespace. */
  path(name: string): string {
    return join(FOLDER, this.#file(name));
  }

  /** undefined for one that is not there, or not any more. */
  addressOf(name: string): string | undefined {
    if (!isNamespace(this.path(name))) return undefined;
    for (const [address, owner] of this.#addresses) if (owner === name) return address;
    return undefined;
  }

  /** The other address of the pod that has this one; undefined where there is but one family. */
  secondOf(address: string): string | undefined {
    const { podCIDR, ipv6 } = this.#options;
    return ipv6 && nthAddress(ipv6.podCIDR, numberOf(address) - numberOf(nthAddress(podCIDR, 0)));
  }

  /** By address of IPv4: the names of all that are there, or are being made. */
  get addresses(): ReadonlyMap<string, string> {
    return this.#addresses;
  }

  /** The same, by the addresses of all families. */
  get allAddresses(): ReadonlyMap<string, string> {
    const second = this.#addresses.entries().flatMap(([address, name]): [string, string][] => {
      const other = this.secondOf(address);
      return other ? [[other, name]] : [];
    });
    return new Map([...this.#addresses, ...second]);
  }

  /** Makes a namespace anew and returns its address. */
  async open(name: string): Promise<string> {
    if (existsSync(this.path(name))) await this.close(name);
    const address = this.#take(name);
    const cause = (await this.#make([name])).get(name);
    if (cause === undefined) return address;
    await attempt(this.close(name));
    throw cause;
  }

  async #makeAll(names: readonly string[]): Promise<Map<string, unknown>> {
    const addresses = new Map(this.#addresses.entries().map(([address, owner]) => [owner, address]));
    const plans = names.map((name) => this.#plan(name, addresses.get(name) ?? ""));
    const outside = plans.flatMap((plan) => plan.outside).join("\n");
    const insides = plans.flatMap(({ file, inside }) => [file, inside.join("\n")]);
    try {
      await this.#options.command("sh", ["-ec", BOTH_SIDES, "sh", outside, ...insides]);
      return new Map();
    } catch (cause) {
      if (names.length === 1) return new Map([[names[0] ?? "", cause]]);
      return this.#makeEach(names);
    }
  }

  /** One that cannot be made must not keep the others from it. */
  async #makeEach(names: readonly string[]): Promise<Map<string, unknown>> {
    const failed = new Map<string, unknown>();
    for (const name of names) {
      await attempt(this.#remove(name));
      for (const [, cause] of await this.#makeAll([name])) failed.set(name, cause);
    }
    return failed;
  }

  /** Lines for `ip -batch`, in the node's own namespace and in the new one. */
  #plan(name: string, address: string): { file: string; outside: string[]; inside: string[] } {
    const { gateway, ipv6, mtu } = this.#options;
    const second = this.secondOf(address);
    const [file, device] = [this.#file(name), this.#device(name)];
    const outside = [
      `netns add ${file}`,
      `link add ${device} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${file}`,
      `address add ${gateway}/32 dev ${device}`,
      ...(second ? linkLocal(device, LINK_LOCAL.outside) : []),
      `link set ${device} up`,
      `route replace ${address}/32 dev ${device}`,
      ...(second && ipv6 ? [`route replace ${second}/128 dev ${device} src ${ipv6.gateway}`] : []),
    ];
    const inside = [
      "link set lo up",
      ...(second ? linkLocal("eth0", LINK_LOCAL.inside) : []),
      "link set eth0 up",
      `address add ${address}/32 dev eth0`,
      `route add ${gateway} dev eth0 scope link`,
      `route add default via ${gateway}`,
      ...(second
        ? [`address add ${hostAddress(second).join(" ")} dev eth0`, `route add default via ${GATEWAY} dev eth0`]
        : []),
    ];
    return { file, outside, inside };
  }

  /** The kernel takes the veth pair and the route away with the namespace, once nothing runs in it. */
  async close(name: string): Promise<void> {
    await this.#remove(name);
    for (const [address, owner] of this.#addresses) if (owner === name) this.#addresses.delete(address);
  }

  async #remove(name: string): Promise<void> {
    if (existsSync(this.path(name))) await this.#options.command("ip", ["netns", "delete", this.#file(name)]);
  }

  /** The one after that given out last, so that an address rests before it is another pod's. */
  #take(name: string): string {
    const { podCIDR } = this.#options;
    const size = 2 ** (32 - Number(podCIDR.split("/")[1]));
    const usable = size - FIRST_POD - 1; // the last one is the broadcast address
    for (let tries = 1; tries <= usable; tries++) {
      const n = FIRST_POD + ((this.#last - FIRST_POD + tries + usable) % usable);
      const address = nthAddress(podCIDR, n);
      if (this.#addresses.has(address)) continue;
      this.#addresses.set(address, name);
      this.#last = n;
      return address;
    }
    throw new Error(`no address is free in ${podCIDR}`);
  }

  #file(name: string): string {
    return `${this.#options.prefix}-${name}`;
  }

  /** Interface names have at most 15 characters. */
  #device(name: string): string {
    return `veth${createHash("sha256").update(this.#file(name)).digest("hex").slice(0, 11)}`;
  }
}
