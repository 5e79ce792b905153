import type { Ruleset } from "./ruleset.ts";

/** A table's state in the making. */
export class Draft implements Ruleset {
  readonly chains = new Map<string, readonly string[]>();
  readonly sets = new Map<string, string>();
  readonly elements = new Map<string, Map<string, string>>();

  element(set: string, key: string, value = ""): void {
    const elements = this.elements.get(set) ?? new Map<string, string>();
    elements.set(key, value);
    this.elements.set(set, elements);
  }

  add({ chains, sets, elements }: Ruleset): void {
    for (const [chain, rules] of chains) this.chains.set(chain, rules);
    for (const [set, body] of sets) this.sets.set(set, body);
    for (const [set, items] of elements) for (const [key, value] of items) this.element(set, key, value);
  }
}
