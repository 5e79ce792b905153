import { parseDuration } from "../worker/lib/cel/times.ts";

/** Of one of Go's durations, as `1m30s`, rounded to zero. Throws in Go's words for what is none. */
export function milliseconds(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed) throw new Error(`time: invalid duration "${text}"`);
  return Number(parsed.nanos / 1_000_000n);
}
