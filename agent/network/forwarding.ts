import { attempt, type Command } from "./commands.ts";
import { MASQUERADE_MARK } from "./services/skeleton.ts";

/** Packets between pods and others pass FORWARD, those to the node itself (DNS, the API) INPUT. */
const CHAINS = ["FORWARD", "INPUT"] as const;

/**
 * Lets pods through the machine's own firewall where that drops what it does not know, as Docker and ufw set it up: an
 * accept in our table cannot overrule a drop in another. Without iptables there is nothing to do.
 */
export class Forwarding {
  readonly #command: Command;
  readonly #podCIDR: string;
  readonly #comment: string;
  /** UDP ports by which other nodes reach this one. */
  #ports: readonly number[] = [];

  /** `owner` marks the rules as ours. */
  constructor(command: Command, podCIDR: string, owner: string) {
    this.#command = command;
    this.#podCIDR = podCIDR;
    this.#comment = owner;
  }

  /** Lets other nodes in at these ports too. */
  async admit(ports: readonly number[]): Promise<void> {
    this.#ports = ports;
    await this.ensure();
  }

  async ensure(): Promise<void> {
    for (const chain of CHAINS) {
      const rules = await this.#command("iptables", ["-w", "-S", chain]).catch(() => "");
      if (!rules.startsWith(`-P ${chain} DROP`)) continue;
      for (const rule of this.#rules(chain)) {
        const present = await this.#command("iptables", ["-w", "-C", chain, ...rule]).then(
          () => true,
          () => false,
        );
        if (!present) await attempt(this.#command("iptables", ["-w", "-I", chain, ...rule]));
      }
    }
  }

  async remove(): Promise<void> {
    for (const chain of CHAINS) {
      const rules = await this.#command("iptables", ["-w", "-S", chain]).catch(() => "");
      for (const line of rules.split("\n")) {
        const ours = line.startsWith(`-A ${chain} `) && line.includes(`--comment ${this.#comment} `);
        if (ours) await attempt(this.#command("iptables", ["-w", "-D", ...line.split(" ").slice(1)]));
      }
    }
  }

  #rules(chain: (typeof CHAINS)[number]): string[][] {
    const mark = ["-m", "comment", "--comment", this.#comment, "-j", "ACCEPT"];
    const from = ["-s", this.#podCIDR, ...mark];
    if (chain === "INPUT")
      return [from, ...this.#ports.map((port) => ["-p", "udp", "-m", "udp", "--dport", `${port}`, ...mark])];
    // What came to a node port may be led on to a pod of another node, and its answers come back this way.
    const led = ["-m", "mark", "--mark", `${MASQUERADE_MARK}/${MASQUERADE_MARK}`, ...mark];
    const known = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", ...mark];
    return [from, ["-d", this.#podCIDR, ...mark], led, known];
  }
}
