import { PATHS, WIREGUARD_KEY, WIREGUARD_PORT } from "../../../worker/protocol/link.ts";
import type { Timers } from "../../effects.ts";
import type { Path } from "./path-state.ts";

/** What changes within this is told at once, ms. */
const TELL_AFTER_MS = 1_000;
/** A relay that served for less is told of as little as a pause: a burst begins with it, and then goes directly. */
const LASTING_MS = 30_000;
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
  /** Nodes that a relay leads to for less than that; by name, what no longer waits for it. */
  readonly #relays = new Map<string, () => void>();
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
    const next = new Map<string, Path>();
    for (const [node, path] of ways) {
      const told = path === "idle" || path === "relay" ? this.#ways.get(node) : path;
      if (told && told !== "lan") next.set(node, told);
      if (path === "relay" && told !== "relay") this.#waitFor(node);
    }
    for (const [node, cancel] of this.#relays) {
      if (ways.get(node) === "relay") continue;
      cancel();
      this.#relays.delete(node);
    }
    this.#become(next);
  }

  #waitFor(node: string): void {
    if (this.#relays.has(node)) return;
    const cancel = this.#timers.after(LASTING_MS, () => {
      this.#relays.delete(node);
      this.#become(new Map([...this.#ways, [node, "relay"]]));
    });
    this.#relays.set(node, cancel);
  }

  #become(ways: Map<string, Path>): void {
    const before = this.#text();
    this.#ways = ways;
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
