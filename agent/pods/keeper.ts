/**
 * Holds the input and output of a container that has stdin: a process of its own, so that they outlive the agent.
 * nerdctl keeps a container's stdin only while `nerdctl run` itself stays in the foreground, so that is what runs here;
 * whoever attaches connects to the socket. Usage: `node keeper.ts JSON`, where JSON is a `KeeperOptions`.
 */
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { effects } from "../effects.ts";
import { spawn } from "../process.ts";
import { resizeTerminal, terminalCommand } from "../streams/terminal.ts";
import { FrameReader, frame, Kind, writeTo } from "./keeping.ts";

export type KeeperOptions = {
  /** `nerdctl run …` and its arguments. */
  command: string[];
  /** Unix socket that clients attach to. */
  socket: string;
  /** Gets what nerdctl said when it failed. */
  errors: string;
  tty: boolean;
  /** stdin ends with the first client that has used it; that of a terminal never does, as upstream. */
  once: boolean;
};

const MOST_ERRORS = 16 * 1024;
/** So much is kept of what was printed before the first client came: for one who started it to attach to it. */
const MOST_EARLY = 64 * 1024;
/** A client that reads so much slower than the container writes is let go. */
const MOST_WAITING = 4 * 1024 * 1024;
/** nerdctl's own log lines, which are not the container's. */
const ownLine = /^time="[^"]*" level=(?:warning|info) msg=.*\n/gm;

function start({ command, tty, errors }: KeeperOptions) {
  const [program = "", ...args] = command;
  const stdio = ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"];
  if (!tty) return spawn(program, args, { stdio, env: process.env });
  const terminal = terminalCommand(command, errors);
  return spawn(terminal.program, terminal.args, { stdio, env: { ...process.env, ...terminal.environment } });
}

function keep(options: KeeperOptions): void {
  const child = start(options);
  const clients = new Set<Socket>();
  let said = "";
  let early: Buffer[] | undefined = [];
  const once = options.once && !options.tty;
  const broadcast = (kind: number, data: Buffer) => {
    early?.push(frame(kind, data));
    while (early && early.length > 1 && bytesOf(early) > MOST_EARLY) early.shift();
    for (const client of clients)
      if (client.writableLength > MOST_WAITING) client.destroy();
      else client.write(frame(kind, data));
  };
  child.stdin?.on("error", () => {}); // the container may close it
  child.stdout?.on("data", (data: Buffer) => broadcast(Kind.stdout, data));
  child.stderr?.on("data", (data: Buffer) => {
    const text = data.toString("latin1");
    said = (said + text).slice(-MOST_ERRORS);
    broadcast(Kind.stderr, Buffer.from(text.replaceAll(ownLine, ""), "latin1"));
  });
  const server = createServer((client) => {
    clients.add(client);
    for (const output of early ?? []) client.write(output);
    early = undefined;
    let used = false;
    const reader = new FrameReader((kind, data) => {
      if (kind === Kind.stdin) {
        used = true;
        const room = child.stdin?.writable ? writeTo(child.stdin, data) : undefined;
        if (room) void room.then(() => client.resume());
        if (room) client.pause();
      } else if (kind === Kind.end) {
        // Where input stays open for others, whoever has no more of it is done: as upstream.
        if (once) child.stdin?.end();
        else client.end();
      } else if (kind === Kind.resize && options.tty) {
        const size = sizeOf(data);
        if (size) void resizeTerminal(child.pid, size, effects);
      }
    });
    client.on("data", (data: Buffer) => reader.push(data));
    client.on("error", () => {});
    client.on("close", () => {
      clients.delete(client);
      if (used && once) child.stdin?.end();
    });
  });
  rmSync(options.socket, { force: true });
  server.listen(options.socket);
  for (const name of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(name, () => {});
  child.on("error", (error) => end(1, error.message));
  child.on("close", (code) => end(code ?? 1, said));
  function end(code: number, message: string): void {
    if (code !== 0 && !options.tty) writeFileSync(options.errors, message);
    for (const client of clients) client.end();
    server.close();
    rmSync(options.socket, { force: true });
  }
}

const bytesOf = (buffers: Buffer[]) => buffers.reduce((sum, { length }) => sum + length, 0);

function sizeOf(data: Buffer): { width: number; height: number } | undefined {
  const { width, height } = JSON.parse(data.toString()) as { width?: number; height?: number };
  return Number.isInteger(width) && Number.isInteger(height) ? { width: width ?? 0, height: height ?? 0 } : undefined;
}

keep(JSON.parse(process.argv[2] ?? "{}") as KeeperOptions);
