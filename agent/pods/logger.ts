/**
 * nerdctl's logger of a container is a process of its own, which writes what the container has printed into its log. On
 * a busy machine it lags; a last line without a newline it writes when it is told to end; and it stays as long as the
 * container is kept.
 */
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Timers } from "../effects.ts";
import { signalProcess } from "./processes.ts";

/** Its only argument that is the same in every version of nerdctl. */
const LOGGER = "_NERDCTL_INTERNAL_LOGGING";

/** One that has not written all, or does not end, is waited for five seconds each. */
const LOOK_MS = 10;
const MAX_LOOKS = 500;

/** Resolves when the log of a container that has ended has all that it printed; its logger is gone then. */
export async function completeLog(containerId: string, logPath: string, timers: Pick<Timers, "sleep">): Promise<void> {
  const logger = loggerOf(containerId);
  if (logger === undefined) return;
  const until = async (done: () => boolean) => {
    for (let looks = 0; looks < MAX_LOOKS && !done(); looks++) await timers.sleep(LOOK_MS);
  };
  await until(() => !isBusy(logger));
  const whole = sizeOf(logPath);
  signalProcess(logger, "SIGTERM");
  await until(() => loggerOf(containerId) === undefined);
  if (sizeOf(logPath) > whole) withoutNewlines(logPath, whole);
}

/** What a logger writes at its end are lines without a newline, and gives each one: these are taken off again. */
export function withoutNewlines(path: string, from: number): void {
  const text = readFileSync(path).subarray(from).toString();
  const entries = text.split("\n").filter(Boolean);
  const mended = entries.map((entry) => `${entry.replace(/\\n(","stream":")/, "$1")}\n`).join("");
  const file = openSync(path, "r+");
  try {
    writeSync(file, mended, from);
    ftruncateSync(file, from + Buffer.byteLength(mended));
  } finally {
    closeSync(file);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

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
