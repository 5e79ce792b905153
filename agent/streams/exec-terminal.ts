/** A command in a terminal of a container: containerd makes it, as it knows how to change its size. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Effects } from "../../worker/lib/effects.ts";
import { ContainerdError, ContainerdTasks } from "../containerd-tasks.ts";
import { Code } from "../grpc.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { addressOf } from "../nerdctl-store.ts";
import { makePipes, readPipe, writePipe } from "../pods/pipes.ts";
import type { RunningCommand } from "./exec.ts";

const SIGHUP = 1;
const SIGKILL = 9;
/** What an earlier agent left is waited for so long. */
const END_TIMEOUT_MS = 5_000;

type Options = { id: string; command: readonly string[]; stdin: boolean };

const isGone = (error: Error) => error instanceof ContainerdError && error.code === Code.notFound;

export const tasksOf = (nerdctl: Nerdctl) =>
  new ContainerdTasks({ socket: addressOf(nerdctl.toml), namespace: nerdctl.namespace });

/** Rejects with containerd's reason when it cannot be started. */
export async function startTerminal(
  { nerdctl, effects }: { nerdctl: Nerdctl; effects: Pick<Effects, "uid"> },
  { id, command, stdin }: Options,
): Promise<RunningCommand> {
  const tasks = tasksOf(nerdctl);
  const exec = effects.uid().replaceAll("-", "");
  const folder = folderOf(nerdctl);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const base = join(folder, `${id}.${exec}`);
  const pipes = { stdout: `${base}.stdout`, ...(stdin && { stdin: `${base}.stdin` }) };
  await makePipes(Object.values(pipes));
  const { output, begun } = readPipe(pipes.stdout);
  const input = pipes.stdin === undefined ? undefined : writePipe(pipes.stdin);
  const forget = async () => {
    begun();
    input?.destroy();
    for (const path of Object.values(pipes)) rmSync(path, { force: true });
    await tasks.remove(id, exec).catch(() => {}); // the container may have gone with it
  };
  try {
    const process = await tasks.processOf(id);
    const env = [...(process.env ?? []).filter((variable) => !variable.startsWith("TERM=")), "TERM=xterm"];
    await tasks.exec(id, exec, pipes, { ...process, args: [...command], env, terminal: true });
    await tasks.start(id, exec);
  } catch (error) {
    output.destroy();
    await forget();
    throw new Error(`failed to start exec "${exec}": ${(error as Error).message}`);
  }
  begun();
  const outcome = new Promise<void>((resolve) => output.once("close", () => resolve()))
    .then(() => tasks.wait(id, exec))
    .then(
      (code) => ({ code }),
      // It has gone with its container, which ends all by SIGKILL.
      (error: Error) => (isGone(error) ? { code: 128 + SIGKILL } : { code: undefined, problem: error.message }),
    )
    .finally(forget);
  return {
    ...(input && { stdin: input }),
    stdout: output as Readable,
    outcome,
    resize: (size) => void tasks.resize(id, size, exec).catch(() => {}), // it has just ended
    hangUp: () => void tasks.kill(id, exec, SIGHUP).catch(() => {}),
  };
}

/** Where the pipes and output of commands lie, by container and name, so that an agent can end what another began. */
export const folderOf = ({ toml }: Nerdctl) => join(dirname(toml), "exec");

/** Ends what an agent that was killed had begun: nobody reads it any more. */
export async function endTerminals(nerdctl: Nerdctl): Promise<void> {
  const folder = folderOf(nerdctl);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tasks = tasksOf(nerdctl);
  for (const name of readdirSync(folder)) {
    const [id = "", exec = ""] = name.split(".");
    // One that was made and not started yet cannot be killed, and would never end.
    const ends = await tasks
      .kill(id, exec, SIGKILL)
      .then(() => true)
      .catch(() => false);
    if (ends) await tasks.wait(id, exec, END_TIMEOUT_MS).catch(() => {});
    await tasks.remove(id, exec).catch(() => {});
    rmSync(join(folder, name), { force: true });
  }
}
