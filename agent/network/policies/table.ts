import { attempt, type Command } from "../commands.ts";
import type { Family } from "../family.ts";
import { EMPTY, type Ruleset, renderDiff } from "../services/ruleset.ts";
import { OWN, renderSkeleton } from "./skeleton.ts";

/**
 * The nftables table that enforces policies, which is there only while a pod is isolated. What an earlier run left is in
 * force until the first `apply` makes it anew, in one transaction.
 */
export class PolicyTable {
  readonly #command: Command;
  readonly #name: string;
  readonly #family: Family;
  /** undefined while it is not known. */
  #applied: Ruleset | undefined;

  constructor(command: Command, name: string, family: Family) {
    this.#command = command;
    this.#name = name;
    this.#family = family;
  }

  get #table(): string {
    return `${this.#family.word} ${this.#name}`;
  }

  /** What is in the kernel, as far as is known. */
  get applied(): Ruleset | undefined {
    return this.#applied;
  }

  /** Rejects when nft refuses; the kernel then still has the state before, and the next call starts anew. */
  async apply(next: Ruleset): Promise<void> {
    const script = this.#script(next);
    if (script === "") return;
    this.#applied = undefined;
    await this.#command("nft", ["-f", "-"], script);
    this.#applied = next;
  }

  #script(next: Ruleset): string {
    const old = this.#applied;
    if (isNothing(next)) return old && isNothing(old) ? "" : `add table ${this.#table}\ndelete table ${this.#table}\n`;
    if (old && !isNothing(old)) return renderDiff(this.#table, old, next);
    return renderSkeleton(this.#name, this.#family) + renderDiff(this.#table, EMPTY, next);
  }

  /** Finds out whether someone else removed the table; the next `apply` then makes it anew. */
  async verify(): Promise<void> {
    if (!this.#applied || isNothing(this.#applied)) return;
    try {
      await this.#command("nft", ["add", "chain", this.#family.word, this.#name, OWN]);
    } catch {
      this.#applied = undefined;
    }
  }

  async remove(): Promise<void> {
    this.#applied = undefined;
    await attempt(this.#command("nft", ["delete", "table", this.#family.word, this.#name]));
  }
}

export const isNothing = ({ chains }: Ruleset): boolean => chains.size === 0;
