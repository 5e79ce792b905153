/** What our table holds besides its fixed part (`skeleton.ts`). Pure data, so two states can be compared. */
export type Ruleset = {
  /** Rules by chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Definition of a set by its name; such sets are filled by packets, not by us. */
  readonly sets: ReadonlyMap<string, string>;
  /** Elements of the fixed sets and maps: key → value, which is "" in a set. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

export const EMPTY: Ruleset = { chains: new Map(), sets: new Map(), elements: new Map() };

/**
 * One transaction for `nft -f`, about a table with its family, that leads from `old` to `next`; "" when they are equal. What is equal in both is not
 * named in it, so sets keep what packets put there. The order is that of dependence: chains exist before a rule or
 * element leads to them, and go after the last one has gone.
 */
export function renderDiff(table: string, old: Ruleset, next: Ruleset): string {
  const goneChains = [...old.chains.keys()].filter((chain) => !next.chains.has(chain));
  const newChains = [...next.chains.keys()].filter((chain) => !old.chains.has(chain));
  const changed = [...next.chains].filter(([chain, rules]) => !sameRules(old.chains.get(chain), rules));
  // A set whose definition changed (another timeout) is made anew; rules that use it are written anew around that.
  const staleSets = [...old.sets].filter(([set, body]) => next.sets.get(set) !== body).map(([set]) => set);
  const freshSets = [...next.sets].filter(([set, body]) => old.sets.get(set) !== body);
  const uses = (rules: readonly string[]) => staleSets.some((set) => rules.some((rule) => rule.includes(`@${set} `)));
  const rewritten = new Map([...changed, ...[...next.chains].filter(([, rules]) => uses(rules))]);
  const [removed, added] = elementChanges(old, next);
  return [
    ...newChains.map((chain) => `add chain ${table} ${chain}`),
    ...removed.map(([set, keys]) => `delete element ${table} ${set} { ${keys.join(", ")} }`),
    ...[...rewritten.keys()].filter((chain) => old.chains.has(chain)).map((chain) => `flush chain ${table} ${chain}`),
    ...goneChains.map((chain) => `flush chain ${table} ${chain}`),
    ...goneChains.map((chain) => `delete chain ${table} ${chain}`),
    ...staleSets.map((set) => `delete set ${table} ${set}`),
    ...freshSets.map(([set, body]) => `add set ${table} ${set} { ${body} }`),
    ...[...rewritten].flatMap(([chain, rules]) => rules.map((rule) => `add rule ${table} ${chain} ${rule}`)),
    ...added.map(([set, items]) => `add element ${table} ${set} { ${items.join(", ")} }`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function sameRules(a: readonly string[] | undefined, b: readonly string[]): boolean {
  if (a === b) return true;
  return a !== undefined && a.length === b.length && a.every((rule, i) => rule === b[i]);
}

type Batch = [set: string, items: string[]];

function elementChanges(old: Ruleset, next: Ruleset): [removed: Batch[], added: Batch[]] {
  const names = new Set([...old.elements.keys(), ...next.elements.keys()]);
  const removed: Batch[] = [];
  const added: Batch[] = [];
  for (const name of names) {
    const before = old.elements.get(name) ?? new Map<string, string>();
    const after = next.elements.get(name) ?? new Map<string, string>();
    if (before === after) continue;
    const gone = [...before].filter(([key, value]) => after.get(key) !== value).map(([key]) => key);
    const fresh = [...after].filter(([key, value]) => before.get(key) !== value);
    if (gone.length) removed.push([name, gone]);
    if (fresh.length) added.push([name, fresh.map(([key, value]) => (value ? `${key} : ${value}` : key))]);
  }
  return [removed, added];
}
