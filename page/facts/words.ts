/** What a person reads in place of a figure. */

const UNITS: readonly [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** The largest unit of it, and the next while there are few of the first: `3d`, `2d4h`, `75s`, as kubectl tells ages. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const at = UNITS.findIndex(([, size]) => seconds >= size * 2);
  const [unit, size] = UNITS[at] ?? ["s", 1];
  const whole = Math.floor(seconds / size);
  const [nextUnit, nextSize] = UNITS[at + 1] ?? ["s", 1];
  const rest = Math.floor((seconds % size) / nextSize);
  return whole < 10 && rest > 0 ? `${whole}${unit}${rest}${nextUnit}` : `${whole}${unit}`;
}

export const age = (timestamp: string | undefined, now: number): string =>
  timestamp ? duration(now - Date.parse(timestamp)) : "";

/** `1 pod`, `3 pods`. */
export const count = (amount: number, one: string, many = `${one}s`): string =>
  `${amount} ${amount === 1 ? one : many}`;
