/**
 * A command in a running container, without a terminal. runc starts it, on pipes: nerdctl would put named pipes between,
 * which it closes when the command ends, and when the machine is so busy that it has not come to open them by then, all
 * that a short command has printed is lost (containerd's client, v2.0.0: `process.Delete` cancels what is not open).
 */
import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { spawn } from "../process.ts";
import type { Outcome, RunningCommand } from "./exec.ts";

/** Where containerd's shim has runc keep its containers, by namespace. */
const RUNC_ROOT = "/run/containerd/runc";
/** How runc tells, in its log and then on its error output, that a command could not be started. */
const FAILURE = /^exec failed: /;
/** How long a command that was told to hang up may keep its starter waiting, ms. */
const HANG_UP_MS = 2_000;
const HANG_UP_LOOK_MS = 50;

export async function startCommand(
  { nerdctl, effects }: { nerdctl: Nerdctl; effects: Pick<Effects, "uid"> & Pick<Timers, "sleep"> },
  { id, command, stdin }: { id: string; command: readonly string[]; stdin: boolean },
): Promise<RunningCommand> {
  const exec = effects.uid().replaceAll("-", "");
  const log = join(tmpdir(), `skerry-exec-${exec}`);
  const options = ["--root", join(RUNC_ROOT, nerdctl.namespace), "--log", log, "--log-format", "json"];
  const child = spawn("runc", [...options, "exec", id, ...command], {
    env: nerdctl.environment,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {}); // the command may end before it has read its input
  const outcome = new Promise<Outcome>((resolve) => {
    child.on("error", (error) => resolve({ code: undefined, problem: error.message }));
    child.on("close", (code) => {
      const cause = failureIn(log);
      rmSync(log, { force: true });
      const problem = `failed to start exec "${exec}": ${cause}`;
      resolve(cause === undefined ? { code: code ?? 137 } : { code: undefined, problem });
    });
  });
  return {
    ...(child.stdin && { stdin: child.stdin }),
    stdout: child.stdout as Readable,
    stderr: ofCommand(child.stderr as Readable, log),
    hangUp: () => void endCommand(child, effects),
    outcome,
  };
}

/** runc passes the signal on. The command may ignore it, but its starter has nobody to copy for any more. */
async function endCommand(child: ChildProcess, effects: Pick<Timers, "sleep">): Promise<void> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  child.kill("SIGHUP");
  for (let waited = 0; waited < HANG_UP_MS && !hasEnded(); waited += HANG_UP_LOOK_MS)
    await effects.sleep(HANG_UP_LOOK_MS);
  if (!hasEnded()) child.kill("SIGKILL");
}

/** Without runc's own words, which come only instead of the command's: the first tells whose they are. */
async function* ofCommand(stderr: AsyncIterable<Buffer>, log: string): AsyncIterable<Buffer> {
  let isCommand = false;
  for await (const chunk of stderr) {
    isCommand ||= failureIn(log) === undefined;
    if (isCommand) yield chunk;
  }
}

function failureIn(log: string): string | undefined {
  try {
    for (const line of readFileSync(log, "utf8").split("\n").filter(Boolean)) {
      const { msg } = JSON.parse(line) as { msg?: string };
      if (msg !== undefined && FAILURE.test(msg)) return `OCI runtime exec failed: ${msg}: unknown`;
    }
  } catch {
    // runc makes it at its start.
  }
  return undefined;
}
