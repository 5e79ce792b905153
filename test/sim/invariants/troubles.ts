/** Until when what a request may meet on its way is in trouble. */
import type { Truth } from "../contract.ts";
import type { Seen } from "./rule.ts";

type Told = { do: string; ms?: number; node?: number; nodes?: number[]; place?: string };

export class Troubles {
  /** Of anything, ms. */
  until = 0;
  /** Of what all nodes share: the object, the Relays, and the ways to them. */
  shared = 0;
  readonly #nodes = new Map<string, number>();

  /** Of a node, ms. */
  of(node: string): number {
    return this.#nodes.get(node) ?? 0;
  }

  seen(truth: Truth, observation: Seen): void {
    const { at } = observation;
    if (observation.type === "rebuilt" && observation.died) this.#shares(at);
    else if (observation.type === "healed") {
      this.until = Math.min(this.until, at);
      this.shared = Math.min(this.shared, at);
      for (const [node, until] of this.#nodes) this.#nodes.set(node, Math.min(until, at));
    } else if (observation.type === "fault") {
      const { ms = 0, node, nodes, place } = JSON.parse(observation.fault) as Told;
      this.until = Math.max(this.until, at + ms);
      if (node === undefined && !nodes && !place) this.#shares(at + ms);
      const names = [...truth.nodes().keys()];
      const meant = [...(node === undefined ? [] : [node]), ...(nodes ?? [])].map((n) => names[n % names.length] ?? "");
      for (const name of place ? [...meant, place] : meant) this.#nodes.set(name, Math.max(this.of(name), at + ms));
    }
  }

  #shares(until: number): void {
    this.until = Math.max(this.until, until);
    this.shared = Math.max(this.shared, until);
  }

  /** A node is taken off, as no fault. */
  taken(node: string, at: number): void {
    this.until = Math.max(this.until, at);
    this.#nodes.set(node, Math.max(this.of(node), at));
  }
}
