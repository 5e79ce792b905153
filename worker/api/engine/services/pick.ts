import type { Operation } from "../operation.ts";

/**
 * Values chosen by hand come from the lower band as a rule, so that guesses are made in the upper one first.
 * https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
 */
export type Range = { size: number; lowerBand: number };

/** The index of a free value, or undefined when all are taken. Starts at a random one and walks. */
export function pickFree({ core }: Operation, { size, lowerBand }: Range, isFree: (index: number) => boolean) {
  const upper = size - lowerBand;
  return walk(lowerBand, upper, core.effects.random(), isFree) ?? walk(0, lowerBand, core.effects.random(), isFree);
}

function walk(first: number, count: number, random: number, isFree: (index: number) => boolean): number | undefined {
  const start = Math.floor(random * count);
  for (let step = 0; step < count; step++) {
    const index = first + ((start + step) % count);
    if (isFree(index)) return index;
  }
  return undefined;
}

/** True when another object than the one being written holds the term. */
export const isHeld = ({ txn, object }: Operation, ref: string): boolean =>
  txn.byRef(ref, "services").some(({ uid }) => uid !== object.metadata?.uid);
