/**
 * Changes between two texts by lines, as `diff -u` shows them, without file names. Which of the lines count as kept is
 * what Python's difflib says: the longest run that both have, and the same again before and after it.
 */

/** Equal lines that are shown around a change. */
const CONTEXT = 3;

/** "" where the texts are equal. */
export function unifiedDiff(before: string, after: string): string {
  const [a, b] = [before.split("\n"), after.split("\n")];
  return grouped(changes(a, b))
    .map((group) => hunk(group, a, b))
    .join("");
}

/** Lines `a[fromA..toA]` that became `b[fromB..toB]`, or that are the same. */
type Part = { same: boolean; fromA: number; toA: number; fromB: number; toB: number };
type Run = { a: number; b: number; size: number };

function hunk(parts: readonly Part[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [parts[0], parts.at(-1)];
  if (!first || !last) return "";
  const lines = parts.flatMap(({ same, fromA, toA, fromB, toB }) => {
    const before = a.slice(fromA, toA);
    if (same) return before.map((line) => ` ${line}\n`);
    return [...before.map((line) => `-${line}\n`), ...b.slice(fromB, toB).map((line) => `+${line}\n`)];
  });
  return `@@ -${range(first.fromA, last.toA)} +${range(first.fromB, last.toB)} @@\n${lines.join("")}`;
}

function range(from: number, to: number): string {
  if (to - from === 1) return `${from + 1}`;
  return `${to === from ? from : from + 1},${to - from}`;
}

function grouped(parts: readonly Part[]): Part[][] {
  const groups: Part[][] = [[]];
  for (const [index, part] of parts.entries()) {
    if (!part.same) {
      groups.at(-1)?.push(part);
      continue;
    }
    const isFirst = index === 0;
    const isLast = index === parts.length - 1;
    const size = part.toA - part.fromA;
    const ends = !isFirst && (isLast || size > 2 * CONTEXT);
    const begins = !isLast && (isFirst || size > 2 * CONTEXT);
    if (ends) groups.at(-1)?.push(shortened(part, 0, Math.min(size, CONTEXT)));
    if (ends && begins) groups.push([]);
    if (begins) groups.at(-1)?.push(shortened(part, Math.max(0, size - CONTEXT), size));
    if (!ends && !begins) groups.at(-1)?.push(part);
  }
  return groups.filter((group) => group.some(({ same }) => !same));
}

const shortened = ({ fromA, fromB }: Part, from: number, to: number): Part => ({
  same: true,
  fromA: fromA + from,
  toA: fromA + to,
  fromB: fromB + from,
  toB: fromB + to,
});

function changes(a: readonly string[], b: readonly string[]): Part[] {
  const parts: Part[] = [];
  let [atA, atB] = [0, 0];
  for (const run of [...commonRuns(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (atA < run.a || atB < run.b) parts.push({ same: false, fromA: atA, toA: run.a, fromB: atB, toB: run.b });
    [atA, atB] = [run.a + run.size, run.b + run.size];
    if (run.size) parts.push({ same: true, fromA: run.a, toA: atA, fromB: run.b, toB: atB });
  }
  return parts;
}

/** In a long text a run does not start at lines that come this often. */
const LONG = 200;
const POPULAR_SHARE = 100;

function placesOf(b: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of b.entries()) {
    const known = places.get(line);
    if (known) known.push(index);
    else places.set(line, [index]);
  }
  const most = Math.floor(b.length / POPULAR_SHARE) + 1;
  if (b.length >= LONG) for (const [line, list] of places) if (list.length > most) places.delete(line);
  return places;
}

/** In order; runs that touch are joined. */
function commonRuns(a: readonly string[], b: readonly string[]): Run[] {
  const places = placesOf(b);
  const runs: Run[] = [];
  const find = (fromA: number, toA: number, fromB: number, toB: number): void => {
    const run = longestRun({ a, b, places }, fromA, toA, fromB, toB);
    if (!run.size) return;
    if (fromA < run.a && fromB < run.b) find(fromA, run.a, fromB, run.b);
    const last = runs.at(-1);
    if (last && last.a + last.size === run.a && last.b + last.size === run.b) last.size += run.size;
    else runs.push(run);
    const [endA, endB] = [run.a + run.size, run.b + run.size];
    if (endA < toA && endB < toB) find(endA, toA, endB, toB);
  };
  find(0, a.length, 0, b.length);
  return runs;
}

type Texts = { a: readonly string[]; b: readonly string[]; places: ReadonlyMap<string, readonly number[]> };

function longestRun({ a, b, places }: Texts, fromA: number, toA: number, fromB: number, toB: number): Run {
  const best: Run = { a: fromA, b: fromB, size: 0 };
  let ending = new Map<number, number>();
  for (let i = fromA; i < toA; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] ?? "") ?? []) {
      if (j < fromB) continue;
      if (j >= toB) break;
      const size = (ending.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) [best.a, best.b, best.size] = [i - size + 1, j - size + 1, size];
    }
    ending = next;
  }
  while (best.a > fromA && best.b > fromB && a[best.a - 1] === b[best.b - 1])
    [best.a, best.b, best.size] = [best.a - 1, best.b - 1, best.size + 1];
  while (best.a + best.size < toA && best.b + best.size < toB && a[best.a + best.size] === b[best.b + best.size])
    best.size++;
  return best;
}
