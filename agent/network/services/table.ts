import { attempt, type Command } from "../commands.ts";
import { EMPTY, type Ruleset, renderDiff } from "./ruleset.ts";
import { renderSkeleton, type Skeleton } from "./skeleton.ts";

/**
 * Our nftables table and what it was last brought to. The first `apply` makes it anew in one transaction, so a table
 * left by an earlier run serves until then; later ones write only differences.
 */
export class ServiceTable {
  readonly #command: Command;
  readonly #skeleton: Skeleton;
  #applied: Ruleset | undefined;

  constructor(command: Command, skeleton: Skeleton) {
    this.#command = command;
    this.#skeleton = skeleton;
  }

  /** Rejects when nft refuses; the kernel then still has the state before, and the next call starts anew. */
  async apply(next: Ruleset): Promise<void> {
    const { table } = this.#skeleton;
    const old = this.#applied;
    const script = old ? renderDiff(table, old, next) : renderSkeleton(this.#skeleton) + renderDiff(table, EMPTY, next);
    if (script === "") return;
    this.#applied = undefined;
    await this.#command("nft", ["-f", "-"], script);
    this.#applied = next;
    if (old) await this.#forget(goneUdpTargets(old, next));
  }

  /** Finds out whether someone else removed the table (`nft flush ruleset`); the next `apply` then makes it anew. */
  async verify(): Promise<boolean> {
    if (!this.#applied) return false;
    try {
      // Changes nothing, and is the one question that nft answers without reading all tables first.
      await this.#command("nft", ["add", "chain", "ip", this.#skeleton.table, "refuse"]);
      return true;
    } catch {
      this.#applied = undefined;
      return false;
    }
  }

  async remove(): Promise<void> {
    this.#applied = undefined;
    await attempt(this.#command("nft", ["delete", "table", "ip", this.#skeleton.table]));
  }

  /** UDP has no end of connection: without this a client that keeps its port would reach a dead endpoint for long. */
  async #forget(targets: readonly string[]): Promise<void> {
    for (const target of targets) {
      const [address = "", port = ""] = target.split(" . ");
      const from = ["--reply-src", address, "--reply-port-src", port];
      await attempt(this.#command("conntrack", ["-D", "-p", "udp", "--dst-nat", ...from]));
    }
  }
}

/** `address . port` of UDP endpoints that no chain leads to any more. */
export function goneUdpTargets(old: Ruleset, next: Ruleset): string[] {
  const after = udpTargets(next);
  return [...udpTargets(old)].filter((target) => !after.has(target));
}

function udpTargets(rules: Ruleset): Set<string> {
  const found = new Set<string>();
  for (const rule of [...rules.chains.values()].flat()) {
    if (!rule.includes("meta l4proto udp dnat")) continue;
    for (const [, address, port] of rule.matchAll(/(\d+\.\d+\.\d+\.\d+)(?: \. |:)(\d+)/g))
      found.add(`${address} . ${port}`);
  }
  return found;
}
