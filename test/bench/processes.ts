/** What processes take. */
import { readFileSync } from "node:fs";

/** In MB: `rss` is what is resident; `pss` divides pages that several processes share. */
export type Memory = { name: string; rss: number; pss: number };

function rollup(pid: number): (field: string) => number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return (field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
}

export function memoryOf(name: string, pid: number): Memory {
  const megabytes = rollup(pid);
  return { name, rss: megabytes("Rss"), pss: megabytes("Pss") };
}

/** What a process allocated itself, in MB: nothing of it depends on what else there is on the machine. */
export const ownMemoryOf = (pid: number): number => rollup(pid)("Anonymous");

export const totalPss = (parts: readonly Memory[]) => parts.reduce((sum, { pss }) => sum + pss, 0);
