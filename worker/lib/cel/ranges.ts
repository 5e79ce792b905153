/** From the least to the most; more than an unsigned 64-bit integer holds is its greatest. */
export type Range = { readonly min: number; readonly max: number };

export const MAX = 2 ** 64;
export const UNKNOWN: Range = { min: 0, max: MAX };
export const fixed = (value: number): Range => ({ min: value, max: value });

const capped = (value: number): number => Math.min(value, MAX);

export const add = (a: Range, b: Range): Range => ({ min: capped(a.min + b.min), max: capped(a.max + b.max) });

export const multiply = (a: Range, b: Range): Range => ({ min: capped(a.min * b.min), max: capped(a.max * b.max) });

/** Rounded up. */
export const scale = ({ min, max }: Range, factor: number): Range => ({
  min: capped(Math.ceil(min * factor)),
  max: capped(Math.ceil(max * factor)),
});

export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
