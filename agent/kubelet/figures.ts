/** Reads the files in which the kernel tells its figures. */
import { readFileSync } from "node:fs";

export function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The one number in a file; `max` and the like are `fallback`. */
export function number(path: string, fallback = 0): number {
  const value = Number(read(path) ?? Number.NaN);
  return Number.isNaN(value) ? fallback : value;
}

/** Lines of a name and a number: `cpu.stat`, `memory.stat`, `/proc/meminfo` (whose kB it makes bytes). */
export function table(path: string): Map<string, number> | undefined {
  const text = read(path);
  if (text === undefined) return undefined;
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, value, unit] = line.split(/:?\s+/);
    if (name && value) found.set(name, Number(value) * (unit === "kB" ? 1024 : 1));
  }
  return found;
}
