import { readdirSync, readFileSync } from "node:fs";
import type { Timers } from "./effects.ts";
import { LAUNCHER } from "./launcher.ts";
import { signalProcess } from "./pods/processes.ts";

const LOOK_EVERY_MS = 10;
const END_TIMEOUT_MS = 10_000;

/** What makes or ends containers. */
const changing = (args: readonly string[]) => ["run", "create", "rm"].includes(args[1] ?? "");

/** What may still begin such a command. */
const launching = (args: readonly string[]) => {
  const at = args.indexOf(LAUNCHER);
  return at >= 0 && Number(args[at + 2]) !== process.pid;
};

/**
 * Ends nerdctl commands that an earlier agent began and did not live to see done: a container that one of them starts
 * later would run beside the one that is started in its place. `toml` tells this node's commands from another's.
 */
export async function endLeftovers(toml: string, timers: Timers): Promise<void> {
  for (let waited = 0; waited < END_TIMEOUT_MS; waited += LOOK_EVERY_MS) {
    const left = leftovers(toml);
    if (!left.length) return;
    for (const pid of left) signalProcess(pid, "SIGKILL");
    await timers.sleep(LOOK_EVERY_MS);
  }
  throw new Error("commands of an earlier agent do not end");
}

/** See proc(5): both files hold strings that each end with NUL. */
function leftovers(toml: string): number[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    const args = pid && pid !== process.pid ? read(`/proc/${pid}/cmdline`) : [];
    if (!changing(args) && !launching(args)) return [];
    return read(`/proc/${pid}/environ`).includes(`NERDCTL_TOML=${toml}`) ? [pid] : [];
  });
}

function read(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\0");
  } catch {
    return []; // it has ended, or is none of ours
  }
}
