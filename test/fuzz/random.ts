/** Chance from a seed, and what it does to values and texts. */
export type Random = () => number;

/** Mulberry32: uniform in [0, 1). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

const deep = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;

/** Values that some field somewhere does not expect. */
export const ODD: readonly unknown[] = [
  null,
  0,
  -1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53,
  "",
  " ",
  "\u0000",
  "../..",
  "a/b/c",
  "ä€😀",
  "\ud800",
  "__proto__",
  "constructor",
  "true",
  "1e9",
  "-1Gi",
  "2026-13-01T00:00:00Z",
  "{{",
  true,
  [],
  {},
  [[]],
  [null],
  [{}],
  { a: null },
  { "": "" },
  "x".repeat(300),
  "9".repeat(30),
  deep(50),
];

/** The value with one place in it replaced, removed, renamed or repeated. */
export function mutated(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null || random() < 0.1) return structuredClone(pick(random, ODD));
  const keys = Object.keys(value);
  if (keys.length === 0) return structuredClone(pick(random, ODD));
  const key = pick(random, keys);
  const changed = structuredClone(value) as Record<string, unknown>;
  const chance = random();
  if (chance < 0.1) delete changed[key];
  else if (chance < 0.15) changed[`${key}x`] = changed[key];
  else if (chance < 0.2 && Array.isArray(changed)) changed.push(structuredClone(changed[key as never]));
  else if (chance < 0.25) changed[key] = changed[pick(random, keys)];
  else changed[key] = mutated(random, changed[key]);
  return changed;
}

/** Text with a few of its characters changed, cut or doubled. */
export function garbled(random: Random, text: string): string {
  const at = Math.floor(random() * text.length);
  const chance = random();
  if (chance < 0.3) return text.slice(0, at);
  if (chance < 0.6)
    return text.slice(0, at) + pick(random, ["{", "}", "[", '"', "\\", "\u0000", ",", "é"]) + text.slice(at + 1);
  return text.slice(0, at) + text.slice(at, at + 40) + text.slice(at);
}
