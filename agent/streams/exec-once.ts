/**
 * A command in a container that is waited for: of probes and hooks. containerd makes it, so that one that takes too long
 * can be ended itself, where ending nerdctl would leave it behind; and no program is started on the machine for it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Effects } from "../../worker/lib/effects.ts";
import type { OciProcess } from "../containerd-tasks.ts";
import type { Timers } from "../effects.ts";
import { limiter } from "../limiter.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { folderOf, tasksOf } from "./exec-terminal.ts";

const SIGKILL = 9;
/** So many are being started at once; that they run long holds up nobody. */
const AT_ONCE = 16;
/** Processes that hold on to its output after it has ended are waited for so long. */
const OUTPUT_MS = 1_000;
/** What a container's processes are made from does not change; of so many it is remembered. */
const REMEMBERED = 256;

/** `code` is undefined for one that took too long and was ended. */
export type Executed = { code: number | undefined; stdout: string; stderr: string };

/** Runs a command in a container, and reads at most `most` bytes of each stream. Rejects when it cannot be started. */
export type ExecOnce = (id: string, command: readonly string[], timeoutMs: number, most: number) => Promise<Executed>;

export function execOnce(nerdctl: Nerdctl, effects: Effects & Timers): ExecOnce {
  const limit = limiter(AT_ONCE);
  const tasks = tasksOf(nerdctl);
  const known = new Map<string, Promise<OciProcess>>();
  const processOf = (id: string) => {
    const found = known.get(id) ?? tasks.processOf(id);
    known.delete(id); // to the young end
    known.set(id, found);
    found.catch(() => known.delete(id));
    for (const old of known.keys().take(Math.max(known.size - REMEMBERED, 0))) known.delete(old);
    return found;
  };
  const begin = (id: string, exec: string, command: readonly string[], output: { stdout: string; stderr: string }) =>
    limit(async () => {
      const process = { ...(await processOf(id)), args: [...command], terminal: false };
      await tasks.exec(id, exec, output, process);
      await tasks.start(id, exec);
    });

  /** Resolves to its exit code, or undefined when it took too long. */
  async function ended(id: string, exec: string, timeoutMs: number): Promise<number | undefined> {
    let isLate = false;
    const cancel = effects.after(timeoutMs, () => {
      isLate = true;
      tasks.kill(id, exec, SIGKILL).catch(() => {}); // it has just ended
    });
    const code = await tasks.wait(id, exec).finally(cancel);
    return isLate ? undefined : code;
  }

  return async (id, command, timeoutMs, most) => {
    const exec = effects.uid();
    const folder = folderOf(nerdctl);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Files that are there already: the shim adds what the command writes, as to any pipe.
    const [stdout, stderr] = ["out", "err"].map((name) => join(folder, `${id}.${exec}.${name}`)) as [string, string];
    /** Its output is whole when it is forgotten. */
    const forget = async () => {
      const forgotten = tasks.remove(id, exec).catch(() => {}); // the container may have gone with it
      await Promise.race([forgotten, effects.sleep(OUTPUT_MS)]);
    };
    try {
      for (const file of [stdout, stderr]) writeFileSync(file, "", { mode: 0o600 });
      await begin(id, exec, command, { stdout, stderr });
      const code = await ended(id, exec, timeoutMs);
      await forget();
      return { code, stdout: await start(stdout, most), stderr: await start(stderr, most) };
    } catch (error) {
      await forget();
      throw error;
    } finally {
      for (const file of [stdout, stderr]) rmSync(file, { force: true });
    }
  };
}

/** The first so many bytes of a file, which may not be there. */
async function start(path: string, most: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  try {
    const read = await file?.read(Buffer.alloc(most), 0, most, 0);
    return read?.buffer.toString("utf8", 0, read.bytesRead) ?? "";
  } finally {
    await file?.close();
  }
}
