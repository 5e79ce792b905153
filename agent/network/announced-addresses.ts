import { isIPv4 } from "node:net";
import { ANNOUNCED_BY } from "../../worker/lib/load-balancers.ts";
import { attempt, type Command } from "./commands.ts";
import { directDevice } from "./routes.ts";
import type { Service } from "./types.ts";

/** The load balancers' addresses that this node is to have in its local network. */
export const announcedBy = (services: readonly Service[], nodeName: string): string[] => [
  ...new Set(
    services.flatMap(({ metadata, spec, status }) =>
      spec?.type === "LoadBalancer" && metadata?.annotations?.[ANNOUNCED_BY] === nodeName
        ? (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "" }) => (isIPv4(ip) ? ip : []))
        : [],
    ),
  ),
];

type Options = {
  command: Command;
  /** An interface that holds them, while there are any: the kernel answers on all networks for the addresses of each. */
  link: string;
  log: (message: string) => void;
};

/** Load balancers' addresses, which the machine answers for by ARP as if they were its own. */
export class AnnouncedAddresses {
  readonly #options: Options;
  /** Those that are there; undefined when that is not known. */
  #set: Set<string> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** What is there is to be looked at anew: an earlier run left it, or other programs of the machine took it away. */
  verify(): void {
    this.#set = undefined;
  }

  async apply(wanted: readonly string[]): Promise<void> {
    this.#set ??= await this.#found();
    const gone = [...this.#set].filter((known) => !wanted.includes(known));
    if (gone.length > 0 && gone.length === this.#set.size) await this.remove();
    else for (const address of gone) await this.#remove(address);
    for (const address of wanted) if (!this.#set?.has(address)) await this.#add(address);
  }

  async remove(): Promise<void> {
    await attempt(this.#options.command("ip", ["link", "delete", this.#options.link]));
    this.#set = new Set();
  }

  async #found(): Promise<Set<string>> {
    const { command, link } = this.#options;
    const text = await command("ip", ["-j", "-4", "address", "show", "dev", link]).catch(() => "[]");
    const links = JSON.parse(text || "[]") as { addr_info?: { local?: string }[] }[];
    return new Set(links.flatMap(({ addr_info }) => addr_info ?? []).flatMap(({ local }) => local ?? []));
  }

  async #add(address: string): Promise<void> {
    const { command, link, log } = this.#options;
    // Asked before the address is the machine's own.
    const network = await directDevice(command, address);
    if (!network) return log(`network: no local network of this node has the load balancer's address ${address}`);
    await attempt(command("ip", ["link", "add", link, "type", "bridge"]));
    await command("ip", ["link", "set", link, "up"]);
    await command("ip", ["address", "replace", `${address}/32`, "dev", link]);
    this.#set?.add(address);
    // Neighbours that know another node for it learn of this one at once, not when their memory of it has ended.
    void attempt(command("arping", ["-A", "-c", "1", "-w", "1", "-I", network, address]));
  }

  async #remove(address: string): Promise<void> {
    await attempt(this.#options.command("ip", ["address", "delete", `${address}/32`, "dev", this.#options.link]));
    this.#set?.delete(address);
  }
}
