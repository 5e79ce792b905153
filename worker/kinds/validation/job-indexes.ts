/** Indexes of an Indexed Job as its status writes them, ascending: `0-2,5`. */
type Interval = readonly [first: number, last: number];

/** The interval, or why the text is none. */
function parseInterval(text: string, completions: number): Interval | string {
  const parts = text.split("-");
  if (parts.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const part of parts) {
    if (!/^\+?\d+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
  }
  const [first = 0, last = first] = parts.map(Number);
  return parts.length > 1 && first >= last ? notIncreasing(first, last) : [first, last];
}

const notIncreasing = (previous: number, current: number): string =>
  `non-increasing order, previous: ${previous}, current: ${current}`;

const intervals = (text: string, completions: number) =>
  text === "" ? [] : text.split(",").map((part) => parseInterval(part, completions));

/** Why the text names no indexes below `completions`. */
export function indexesProblem(text: string, completions: number): string | undefined {
  let previous = -1;
  for (const interval of intervals(text, completions)) {
    if (typeof interval === "string") return interval;
    if (previous >= interval[0]) return notIncreasing(previous, interval[0]);
    previous = interval[1];
  }
  return undefined;
}

/** Where indexes are both failed and completed; parts that cannot be read are another problem's matter. */
export function overlapProblem(completed: string, failed: string, completions: number): string | undefined {
  const readable = (text: string) => intervals(text, completions).filter((one) => typeof one !== "string");
  const failures = readable(failed);
  for (const [first, last] of readable(completed)) {
    const clash = failures.find((one) => first <= one[1] && one[0] <= last);
    if (clash) return `failedIndexes and completedIndexes overlap at index: ${Math.max(first, clash[0])}`;
  }
  return undefined;
}

/** How many indexes the text names; 0 where it cannot be read. */
export const countIndexes = (text: string, completions: number): number =>
  indexesProblem(text, completions)
    ? 0
    : intervals(text, completions).reduce<number>(
        (sum, interval) => sum + (typeof interval === "string" ? 0 : interval[1] - interval[0] + 1),
        0,
      );
