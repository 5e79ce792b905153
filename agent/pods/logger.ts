/**
 * nerdctl's logger of a container is a process of its own, which writes what the container has printed into its log. On
 * a busy machine it lags; a last line without a newline it writes when it is told to end; and it stays as long as the
 * container is kept.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Its only argument that is the same in every version of nerdctl. */
const LOGGER = "_NERDCTL_INTERNAL_LOGGING";

/** The pid of a container's logger. `proc` is another process file system, in tests. */
export function loggerOf(containerId: string, proc = "/proc"): number | undefined {
  const found = readdirSync(proc).find(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(join(proc, pid, "cmdline")).includes(`\0${LOGGER}\0`) &&
      `\0${read(join(proc, pid, "environ"))}`.includes(`\0CONTAINER_ID=${containerId}\0`),
  );
  return found === undefined ? undefined : Number(found);
}

/**
 * Whether a thread of the process runs, or would if it had a processor: a logger with something left to read has one,
 * as the kernel wakes it by every write. See proc(5), /proc/pid/stat.
 */
export function isBusy(pid: number, proc = "/proc"): boolean {
  const tasks = join(proc, String(pid), "task");
  return list(tasks).some((task) => /\) [RD] /.test(read(join(tasks, task, "stat"))));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process has ended meanwhile
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
