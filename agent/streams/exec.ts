/** `kubectl exec`: a command in a running container. */
import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { writeTo } from "../pods/keeping.ts";
import { signalProcess } from "../pods/processes.ts";
import { spawn } from "../process.ts";
import { Channel, Channels, exitStatus, failureStatus, type Incoming, readMessage, waitForRoom } from "./channels.ts";
import { startCommand } from "./exec-command.ts";
import { type Outcome, outcomeOf } from "./exec-output.ts";
import { execProcess } from "./exec-process.ts";
import { flags, type Served } from "./served.ts";
import { resizeTerminal, terminalCommand } from "./terminal.ts";

/** How long a command that was told to hang up may keep its starter waiting, ms. */
const HANG_UP_MS = 2_000;
const HANG_UP_LOOK_MS = 50;

export async function serveExec({ socket, request, container, deps }: Served): Promise<void> {
  if (!container.running) throw new Error(`container not found ("${request.container}")`);
  const wants = flags(request.query);
  const command = request.query.flatMap(([name, value]) => (name === "command" ? [value] : []));
  const channels = new Channels(socket, request.subprotocol);
  const options = { id: container.containerId, command, stdin: wants("stdin") };
  const running = wants("tty") ? startTerminal(deps, options) : startPlain(deps, options);
  socket.on("message", (data: Buffer) => {
    const message = readMessage(data);
    if (message) waitForRoom(socket, running.input(message));
  });
  const hangUp = () => void endCommand(running, container.pid, deps);
  socket.on("close", hangUp);
  if (socket.readyState !== socket.OPEN) hangUp();
  const copies = [copy(running.stdout, Channel.stdout, channels)];
  if (running.stderr) copies.push(copy(running.stderr, Channel.stderr, channels));
  await Promise.all(copies);
  const outcome = await running.outcome;
  socket.off("close", hangUp);
  await channels.finish(
    outcome.code === undefined
      ? failureStatus(`error executing command in container: ${outcome.problem}`)
      : exitStatus(outcome.code),
  );
}

async function copy(from: AsyncIterable<Buffer>, channel: number, channels: Channels): Promise<void> {
  for await (const chunk of from) await channels.send(channel, chunk);
}

/** The client is gone: the command is hung up on, as when a terminal is closed. One that ignores that goes on. */
async function endCommand(running: Running, container: number | undefined, { effects }: Deps): Promise<void> {
  const { child } = running;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  child.stdin?.destroy();
  let isTold = false;
  for (let waited = 0; waited < HANG_UP_MS && !hasEnded(); waited += HANG_UP_LOOK_MS) {
    if (!isTold) isTold = running.hangUp(container);
    await effects.sleep(HANG_UP_LOOK_MS);
  }
  if (!hasEnded()) child.kill("SIGKILL");
}

type Running = {
  child: ChildProcess;
  stdout: AsyncIterable<Buffer>;
  stderr?: AsyncIterable<Buffer>;
  /** A promise of room for more input, when there is none now. */
  input(message: Incoming): Promise<void> | undefined;
  /** Sends SIGHUP to the command; false as long as that cannot be done yet. */
  hangUp(container: number | undefined): boolean;
  outcome: Promise<Outcome>;
};

type Options = { id: string; command: readonly string[]; stdin: boolean };
type Deps = Served["deps"];

const closed = (child: ChildProcess) =>
  new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 137));
  });

function feed(child: ChildProcess, data: Buffer): Promise<void> | undefined {
  return child.stdin?.writable ? writeTo(child.stdin, data) : undefined;
}

function startPlain(deps: Deps, options: Options): Running {
  const { child, ...rest } = startCommand(deps, options);
  return {
    child,
    ...rest,
    input(message) {
      if (message.type === "end") child.stdin?.end();
      return message.type === "stdin" ? feed(child, message.data) : undefined;
    },
    hangUp: () => child.kill("SIGHUP"), // runc passes it on
  };
}

/** nerdctl's own messages go to a file, so that they do not show up on the user's screen. */
function startTerminal({ nerdctl, effects }: Deps, { id, command, stdin }: Options): Running {
  const messages = join(tmpdir(), `skerry-exec-${effects.uid()}`);
  const words = [nerdctl.binary, "exec", stdin ? "-it" : "-t", id, ...command];
  const { program, args, environment } = terminalCommand(words, messages);
  const child = spawn(program, args, {
    env: { ...nerdctl.environment, ...environment },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin?.on("error", () => {});
  return {
    child,
    stdout: child.stdout as Readable,
    input(message) {
      if (message.type === "resize") void resizeTerminal(child.pid, message, effects);
      return message.type === "stdin" && stdin ? feed(child, message.data) : undefined;
    },
    hangUp(container) {
      const command = execProcess(child.pid, container); // unknown for as long as it is just being started
      if (command) signalProcess(command, "SIGHUP");
      return command !== undefined;
    },
    outcome: closed(child).then((code) => outcomeOf(code, takeFile(messages))),
  };
}

function takeFile(path: string): string {
  try {
    const text = readFileSync(path, "latin1");
    rmSync(path, { force: true });
    return text;
  } catch {
    return "";
  }
}
