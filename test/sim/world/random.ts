/** Chance from a seed. Every part of the world has its own stream, so that leaving one part out moves no other's dice. */
export type Random = () => number;

/** A stream of numbers in [0, 1) that a seed and a name fix (sfc32, seeded by FNV-1a). */
export function stream(seed: number, name: string): Random {
  let a = fnv(`${seed}`, 0x811c9dc5);
  let b = fnv(name, a);
  let c = fnv(`${name}/${seed}`, b);
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

function fnv(text: string, start: number): number {
  let hash = start | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** A whole number from `low` up to and with `high`. */
export const between = (random: Random, low: number, high: number) => low + Math.floor(random() * (high - low + 1));

export function pick<T>(random: Random, items: readonly T[]): T {
  if (items.length === 0) throw new Error("nothing to pick from");
  return items[Math.floor(random() * items.length)] as T;
}

/** By weight. */
export function weighted<T>(random: Random, items: readonly (readonly [number, T])[]): T {
  let left = random() * items.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of items) {
    left -= weight;
    if (left < 0) return item;
  }
  return (items.at(-1) as readonly [number, T])[1];
}

/** A version 4 UUID of this stream. */
export function uid(random: Random): string {
  const hex = Array.from({ length: 8 }, () =>
    Math.floor(random() * 65536)
      .toString(16)
      .padStart(4, "0"),
  );
  const [a, b, c, d, e, ...rest] = hex as [string, string, string, string, string, ...string[]];
  return `${a}${b}-${c}-4${d.slice(1)}-8${e.slice(1)}-${rest.join("")}`;
}
