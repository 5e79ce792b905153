import { attempt, type Command } from "./commands.ts";
import { MASQUERADE_MARK } from "./services/skeleton.ts";

/** Packets between pods and others pass FORWARD, those to the node itself (DNS, the API, what is held) INPUT. */
const CHAINS = ["FORWARD", "INPUT"] as const;

export type ForwardingOptions = {
  command: Command;
  program: "iptables" | "ip6tables";
  /** Absent where pods have no address of the family: then nothing is let through. */
  podCIDR: string | undefined;
  /** Marks the rules as ours. */
  owner: string;
};

/**
 * Lets pods through the machine's own firewall where that drops what it does not know, as Docker and ufw set it up: an
 * accept in our table cannot overrule a drop in another. Without iptables there is nothing to do.
 */
export class Forwarding {
  readonly #options: ForwardingOptions;
  /** UDP ports by which other nodes reach this one. */
  #ports: readonly number[] = [];

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  #command(args: readonly string[]): Promise<string> {
    return this.#options.command(this.#options.program, ["-w", ...args]);
  }

  /** Lets other nodes in at these ports too. */
  async admit(ports: readonly number[]): Promise<void> {
    this.#ports = ports;
    await this.ensure();
  }

  async ensure(): Promise<void> {
    if (!this.#options.podCIDR) return;
    for (const chain of CHAINS) {
      const rules = await this.#command(["-S", chain]).catch(() => "");
      if (!rules.startsWith(`-P ${chain} DROP`)) continue;
      for (const rule of this.#rules(chain)) {
        const present = await this.#command(["-C", chain, ...rule]).then(
          () => true,
          () => false,
        );
        if (!present) await attempt(this.#command(["-I", chain, ...rule]));
      }
    }
  }

  async remove(): Promise<void> {
    for (const chain of CHAINS) {
      const rules = await this.#command(["-S", chain]).catch(() => "");
      for (const line of rules.split("\n")) {
        const ours = line.startsWith(`-A ${chain} `) && line.includes(`--comment ${this.#options.owner} `);
        if (ours) await attempt(this.#command(["-D", ...line.split(" ").slice(1)]));
      }
    }
  }

  #rules(chain: (typeof CHAINS)[number]): string[][] {
    const { owner, podCIDR = "" } = this.#options;
    const mark = ["-m", "comment", "--comment", owner, "-j", "ACCEPT"];
    const from = ["-s", podCIDR, ...mark];
    if (chain === "INPUT") {
      // What is held for a Service that sleeps may come from anywhere. The mark is on a connection's first packet alone,
      // and nobody but us leads others to the gateway.
      const held = ["-d", podCIDR, "-m", "conntrack", "--ctstate", "DNAT", ...mark];
      return [from, held, ...this.#ports.map((port) => ["-p", "udp", "-m", "udp", "--dport", `${port}`, ...mark])];
    }
    // What came to a node port may be led on to a pod of another node, and its answers come back this way.
    const led = ["-m", "mark", "--mark", `${MASQUERADE_MARK}/${MASQUERADE_MARK}`, ...mark];
    const known = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", ...mark];
    return [from, ["-d", podCIDR, ...mark], led, known];
  }
}
