/**
 * nerdctl's logger of a container is a process of its own, which writes what the container has printed into its log and
 * ends soon after it. Until then the log is not complete.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Its only argument that is the same in every version of nerdctl. */
const LOGGER = "_NERDCTL_INTERNAL_LOGGING";

/** `proc` is another process file system, in tests. */
export function loggerRuns(containerId: string, proc = "/proc"): boolean {
  return readdirSync(proc).some(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(join(proc, pid, "cmdline")).includes(`\0${LOGGER}\0`) &&
      `\0${read(join(proc, pid, "environ"))}`.includes(`\0CONTAINER_ID=${containerId}\0`),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process has ended meanwhile
  }
}
