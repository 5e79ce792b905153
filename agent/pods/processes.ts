import { readFileSync } from "node:fs";

/** When a process started, in clock ticks since boot; undefined when there is none. See proc(5), /proc/pid/stat. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** A process by its pid and start, as a pid alone may have passed to another. */
export type ProcessId = { pid?: number; startTicks?: string };

export const isAlive = ({ pid, startTicks: ticks }: ProcessId): boolean =>
  pid !== undefined && ticks !== undefined && startTicks(pid) === ticks;

/** Sends a signal, if the process is still the one that is meant. */
export function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(id) || !id.pid) return;
  try {
    process.kill(id.pid, name);
  } catch {
    // It ended in this very moment.
  }
}
