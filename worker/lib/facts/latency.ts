/** How long answers took, as counts by fixed classes: those of several minutes, nodes or Services are added up class by class. */

/** The longest of each class, ms; what took longer than the last is in one class more. */
export const LATENCY_BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;
export const LATENCY_CLASSES = LATENCY_BOUNDS_MS.length + 1;

/** A number for each class. */
export type Histogram = readonly number[];

export const latencyClass = (ms: number): number => {
  const found = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
  return found === -1 ? LATENCY_BOUNDS_MS.length : found;
};

export const addHistograms = (a: Histogram, b: Histogram): number[] =>
  Array.from({ length: LATENCY_CLASSES }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));

/**
 * Within how many ms that share of the answers came, 0 to 1, as if they lay evenly in their class; undefined where there
 * were none. What took longer than all bounds is told as the last of them.
 */
export function latencyQuantile(counts: Histogram, share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = share * total;
  for (const [i, bound] of LATENCY_BOUNDS_MS.entries()) {
    const count = counts[i] ?? 0;
    const from = LATENCY_BOUNDS_MS[i - 1] ?? 0;
    if (count > 0 && left <= count) return from + ((bound - from) * left) / count;
    left -= count;
  }
  return LATENCY_BOUNDS_MS.at(-1);
}
