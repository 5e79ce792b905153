import type { Pod } from "../../kinds/core/pod.ts";

export const INDEX = "batch.kubernetes.io/job-completion-index";

/** The index of a pod of an Indexed Job. */
export function indexOf({ metadata }: Readonly<Pod>): number | undefined {
  const text = metadata.annotations?.[INDEX];
  return text === undefined || !/^[0-9]+$/.test(text) ? undefined : Number(text);
}

/** `0-2,5` → 0, 1, 2, 5. */
export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const part of text ? text.split(",") : []) {
    const [first = 0, last = first] = part.split("-").map(Number);
    for (let i = first; i <= last; i++) indexes.add(i);
  }
  return indexes;
}

/** 0, 1, 2, 5 → `0-2,5`; two in a row stay apart: `0,1`. */
export function formatIndexes(indexes: Iterable<number>): string {
  const runs: [number, number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run[1] === index - 1) run[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`))
    .join(",");
}

/** The lowest free indexes below `completions`. */
export function freeIndexes(completions: number, taken: ReadonlySet<number>, count: number): number[] {
  const free: number[] = [];
  for (let i = 0; i < completions && free.length < count; i++) if (!taken.has(i)) free.push(i);
  return free;
}
