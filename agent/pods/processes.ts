import { readFileSync } from "node:fs";
import type { Timers } from "../effects.ts";

/** A process by its pid and start, as a pid alone may have passed to another. */
export type ProcessId = { pid?: number; startTicks?: string };

export interface Processes {
  /** When a process started, in clock ticks since boot; undefined when there is none. */
  startTicks(pid: number): string | undefined;
  signal(pid: number, name: NodeJS.Signals): void;
  /** The runtime is about to hand it to its program: a signal would still be the runtime's. A model's never is. */
  isBeginning?(pid: number): boolean;
  /** Calls `look` when processes may have ended, soon after each end. Returns what stops that. */
  watch(look: () => void): () => void;
}

export const isAlive = (processes: Processes, { pid, startTicks }: ProcessId): boolean =>
  pid !== undefined && startTicks !== undefined && processes.startTicks(pid) === startTicks;

/** Sends a signal, if the process is still the one that is meant. */
export function signal(processes: Processes, id: ProcessId, name: NodeJS.Signals): void {
  if (id.pid && isAlive(processes, id)) processes.signal(id.pid, name);
}

/** Processes are looked after so often: it costs a read of /proc each, and no event can be missed for long. */
const SWEEP_MS = 2_000;

export const machineProcesses = (timers: Timers): Processes => ({
  startTicks,
  signal: signalProcess,
  isBeginning,
  watch(look) {
    let cancel = () => {};
    const later = () => {
      cancel = timers.after(SWEEP_MS, () => {
        look();
        later();
      });
    };
    later();
    return () => cancel();
  },
});

/** What runc and its like call a process of theirs that becomes a container's. */
const RUNTIME_INIT = /:\[\d:INIT\]/;

function isBeginning(pid: number): boolean {
  try {
    return RUNTIME_INIT.test(readFileSync(`/proc/${pid}/comm`, "utf8"));
  } catch {
    return false;
  }
}

export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in this very moment.
  }
}

/** See proc(5), /proc/pid/stat. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
