/** `kubectl exec`: a command in a running container. */
import type { ChildProcess } from "node:child_process";
import { readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { run, spawn } from "../process.ts";
import { Channel, Channels, exitStatus, type Incoming, readMessage } from "./channels.ts";
import type { Served } from "./serve.ts";

/** nerdctl's own last line about a command that failed; the command's code is in it. */
const EXIT_LINE = /(^|\n)time="[^"]*" level=fatal msg="exec failed with exit code (\d+)"\n?$/;

/** The command's exit code, and what is left of its error output when nerdctl's word is taken out. */
export function exitCode(code: number, stderr: string): { code: number; stderr: string } {
  const said = EXIT_LINE.exec(stderr);
  return said ? { code: Number(said[2]), stderr: stderr.slice(0, said.index) + said[1] } : { code, stderr };
}

export async function serveExec({ socket, request, container, deps }: Served): Promise<void> {
  const query = new URLSearchParams(request.query);
  const command = query.getAll("command");
  const wants = (name: string) => query.get(name) === "true" || query.get(name) === "1";
  const channels = new Channels(socket);
  const options = { id: container.containerId, command, stdin: wants("stdin") };
  const running = wants("tty") ? startTerminal(deps, options) : startPlain(deps, options);
  socket.on("message", (data: Buffer) => {
    const message = readMessage(data);
    if (message) running.input(message);
  });
  socket.on("close", () => running.kill());
  const copies = [copy(running.stdout, Channel.stdout, channels)];
  if (running.stderr) copies.push(copy(running.stderr, Channel.stderr, channels));
  await Promise.all(copies);
  const { code, stderr } = await running.ended;
  if (stderr) await channels.send(Channel.stderr, Buffer.from(stderr));
  await channels.finish(exitStatus(code));
}

async function copy(from: AsyncIterable<Buffer>, channel: number, channels: Channels): Promise<void> {
  for await (const chunk of from) await channels.send(channel, chunk);
}

type Running = {
  stdout: AsyncIterable<Buffer>;
  stderr?: AsyncIterable<Buffer>;
  input(message: Incoming): void;
  kill(): void;
  /** `stderr` is what had to be held back until nerdctl's own line could be told apart. */
  ended: Promise<{ code: number; stderr: string }>;
};

type Options = { id: string; command: readonly string[]; stdin: boolean };
type Deps = Served["deps"];

const closed = (child: ChildProcess) =>
  new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 137));
  });

function startPlain({ nerdctl }: Deps, { id, command, stdin }: Options): Running {
  const child = spawn(nerdctl.binary, ["exec", ...(stdin ? ["-i"] : []), id, ...command], {
    env: nerdctl.environment,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {}); // the command may end before it has read its input
  const held = { text: "" };
  const code = closed(child);
  return {
    stdout: child.stdout as Readable,
    stderr: holdBack(child.stderr as Readable, held),
    input(message) {
      if (message.type === "stdin") child.stdin?.write(message.data);
      if (message.type === "end") child.stdin?.end();
    },
    kill: () => child.kill("SIGTERM"),
    ended: code.then((value) => exitCode(value, held.text)),
  };
}

/** Passes a stream on, but for a last part that may be nerdctl's own line. */
async function* holdBack(stream: Readable, held: { text: string }): AsyncIterable<Buffer> {
  for await (const chunk of stream) {
    const text = held.text + (chunk as Buffer).toString("latin1");
    const start = text.lastIndexOf('time="');
    const at = start === -1 || (start > 0 && text[start - 1] !== "\n") ? text.length : start;
    held.text = text.slice(at);
    if (at > 0) yield Buffer.from(text.slice(0, at), "latin1");
  }
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * nerdctl wants a real terminal for `-t`: `script` gives it one, which adds nothing to what the container's own terminal
 * does to lines. nerdctl's own messages go to a file, so that they do
 * not show up on the user's screen.
 */
function startTerminal({ nerdctl, effects }: Deps, { id, command, stdin }: Options): Running {
  const messages = join(tmpdir(), `skerry-exec-${effects.uid()}`);
  const line = [nerdctl.binary, "exec", stdin ? "-it" : "-t", id, ...command].map(quote).join(" ");
  const child = spawn(
    "script",
    ["-q", "-e", "-f", "-c", `stty raw -echo -onlcr; exec ${line} 2>${quote(messages)}`, "/dev/null"],
    {
      env: { ...nerdctl.environment, TERM: "xterm", SHELL: "/bin/sh" },
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  child.stdin?.on("error", () => {});
  return {
    stdout: child.stdout as Readable,
    input(message) {
      if (message.type === "stdin") child.stdin?.write(message.data);
      if (message.type === "resize") void resize(child.pid, message, effects);
    },
    kill: () => child.kill("SIGTERM"),
    ended: closed(child).then((code) => {
      const text = readOnce(messages);
      return { code: exitCode(code, text).code, stderr: "" };
    }),
  };
}

function readOnce(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    rmSync(path, { force: true });
    return text;
  } catch {
    return "";
  }
}

/** Sets the size of the terminal that `script` made; the kernel tells nerdctl, and nerdctl the container. */
async function resize(
  pid: number | undefined,
  size: { width: number; height: number },
  effects: Deps["effects"],
): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const terminal = terminalOf(pid);
    if (terminal)
      return void (await run("stty", ["-F", terminal, "rows", String(size.height), "cols", String(size.width)]));
    await effects.sleep(25); // `script` has not started its child yet
  }
}

function terminalOf(pid: number | undefined): string | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    const terminal = readlinkSync(`/proc/${child}/fd/0`);
    return terminal.startsWith("/dev/pts/") ? terminal : undefined;
  } catch {
    return undefined;
  }
}
