import { PATHS, WIREGUARD_KEY, WIREGUARD_PORT } from "../../../worker/protocol/link.ts";
import type { Timers } from "../../effects.ts";
import type { Path } from "./path-state.ts";

/** What changes within this is told at once, ms. */
const TELL_AFTER_MS = 1_000;
/** A Node names no more. */
const MOST_NAMED = 100;

/**
 * What the Node tells in annotations: how this node is reached by WireGuard, and by which way it reaches those that are
 * elsewhere, or last did. That a way is not in use is not told: it would be written again and again.
 */
export class Paths {
  readonly #timers: Timers;
  #own: Record<string, string> = {};
  #ways = new Map<string, Path>();
  #waits = false;
  /** There is something new to tell. */
  onChange: () => void = () => {};

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  reachedBy(publicKey: string, port: number): void {
    this.#own = { [WIREGUARD_KEY]: publicKey, [WIREGUARD_PORT]: `${port}` };
    this.#tell();
  }

  are(ways: ReadonlyMap<string, Path>): void {
    const before = this.#text();
    const next = new Map<string, Path>();
    for (const [node, path] of ways) {
      const told = path === "idle" ? this.#ways.get(node) : path;
      if (told && told !== "lan") next.set(node, told);
    }
    this.#ways = next;
    if (this.#text() !== before) this.#tell();
  }

  /** By name. Of ways that are no more, a Node that told of them tells that too. */
  annotations(told: Readonly<Record<string, string>> = {}): Record<string, string> {
    const text = this.#text();
    return { ...this.#own, ...((text || told[PATHS]) && { [PATHS]: text }) };
  }

  #text(): string {
    const named = [...this.#ways].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, MOST_NAMED);
    return named.map(([node, path]) => `${node}=${path}`).join();
  }

  #tell(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#timers.after(TELL_AFTER_MS, () => {
      this.#waits = false;
      this.onChange();
    });
  }
}
