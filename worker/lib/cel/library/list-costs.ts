import { sizeOf as actualSize, ofWalk } from "../costs.ts";
import type { Costs } from "../environment.ts";
import type { Estimate, Node } from "../estimate.ts";
import { add, fixed, multiply, type Range, scale } from "../ranges.ts";

/** The items of a list, as estimators see them. */
export function itemOf({ type, path }: Node): Node | undefined {
  const [item] = type.params;
  return item && { type: item, ...(path && { path: [...path, "@items"] }) };
}

const isText = ({ type }: Node) => type.kind === "string" || type.kind === "bytes";

/** Of functions that look at every item, or at every character. */
export const indexCosts: Costs = {
  cost: ofWalk,
  estimate([target], sizeOf) {
    if (!target) return undefined;
    const item = itemOf(target);
    if (!item) return { cost: scale(sizeOf(target), 0.1) };
    const each = isText(item) ? add(fixed(1), scale(sizeOf(item), 0.1)) : fixed(1);
    return { cost: multiply(sizeOf(target), each) };
  },
};

/** Of a function that makes a list. */
export const madeEstimate = (factor: number, size: Range): Estimate => ({
  cost: add(scale(size, factor), fixed(11)),
  size,
});
export const madeCost = (factor: number, size: number): number => Math.floor(size * factor) + 11;

/** Every item is compared with every other. */
export function selfCompareCost(list: readonly unknown[]): number {
  const [first] = list;
  const factor = typeof first === "string" || first instanceof Uint8Array ? 2.1 : 2;
  return madeCost(factor, list.length ** 2);
}

export const ofMadeSize = (_: readonly unknown[], result: unknown): number => madeCost(1, actualSize(result));
