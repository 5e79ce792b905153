/** What processes take. */
import { readFileSync } from "node:fs";

/** In MB: `rss` is what is resident; `pss` divides pages that several processes share. */
/** In MB; `anonymous` is what it allocated itself. */
export type Memory = { name: string; rss: number; pss: number; anonymous: number };

export function memoryOf(name: string, pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
  return { name, rss: megabytes("Rss"), pss: megabytes("Pss"), anonymous: megabytes("Anonymous") };
}

export const totalPss = (parts: readonly Memory[]) => parts.reduce((sum, { pss }) => sum + pss, 0);
