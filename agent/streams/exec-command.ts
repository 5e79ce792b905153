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
import type { Nerdctl } from "../nerdctl.ts";
import { spawn } from "../process.ts";
import type { Outcome } from "./exec-output.ts";

/** Where containerd's shim has runc keep its containers, by namespace. */
const RUNC_ROOT = "/run/containerd/runc";
/** How runc tells, in its log and then on its error output, that a command could not be started. */
const FAILURE = /^exec failed: /;

export type StartedCommand = {
  child: ChildProcess;
  stdout: AsyncIterable<Buffer>;
  stderr: AsyncIterable<Buffer>;
  /** Resolves when both outputs are at their end too; they must be read. */
  outcome: Promise<Outcome>;
};

export function startCommand(
  { nerdctl, effects }: { nerdctl: Nerdctl; effects: Pick<Effects, "uid"> },
  { id, command, stdin }: { id: string; command: readonly string[]; stdin: boolean },
): StartedCommand {
  const log = join(tmpdir(), `skerry-exec-${effects.uid()}`);
  const options = ["--root", join(RUNC_ROOT, nerdctl.namespace), "--log", log, "--log-format", "json"];
  const child = spawn("runc", [...options, "exec", id, ...command], {
    env: nerdctl.environment,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {}); // the command may end before it has read its input
  const outcome = new Promise<Outcome>((resolve) => {
    child.on("error", (error) => resolve({ code: undefined, problem: error.message }));
    child.on("close", (code) => {
      const problem = failureIn(log);
      rmSync(log, { force: true });
      resolve(problem === undefined ? { code: code ?? 137 } : { code: undefined, problem });
    });
  });
  return { child, stdout: child.stdout as Readable, stderr: ofCommand(child.stderr as Readable, log), outcome };
}

/** Without runc's own words, which come only instead of the command's. */
async function* ofCommand(stderr: AsyncIterable<Buffer>, log: string): AsyncIterable<Buffer> {
  for await (const chunk of stderr) if (failureIn(log) === undefined) yield chunk;
}

function failureIn(log: string): string | undefined {
  try {
    for (const line of readFileSync(log, "utf8").split("\n").filter(Boolean)) {
      const { msg } = JSON.parse(line) as { msg?: string };
      if (msg !== undefined && FAILURE.test(msg)) return `OCI runtime exec failed: ${msg}`;
    }
  } catch {
    // runc makes it at its start.
  }
  return undefined;
}
