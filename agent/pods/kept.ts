/** One container's input and output, in the keeper. containerd's shim has the other ends of its named pipes. */
import { readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { ContainerdTasks } from "../containerd-tasks.ts";
import type { Timers } from "../effects.ts";
import { FrameReader, frame, Kind } from "./frames.ts";
import { type LogLimits, LogWriter, type Rests } from "./log-writer.ts";
import { readPipe, writePipe } from "./pipes.ts";

/** All that the keeper has to know of a container; on disk too, for a keeper that takes over from one that was killed. */
export type KeptSettings = {
  id: string;
  /** Named pipes; a container without stdin has none for it, a terminal none for its error output. */
  pipes: { stdin?: string; stdout: string; stderr?: string };
  /** Unix socket that clients attach to. */
  socket: string;
  log: string;
  limits: LogLimits;
  tty: boolean;
  /** stdin ends with the first client that has used it; that of a terminal never does, as upstream. */
  once: boolean;
  /** What the keeper before this one had not written yet. */
  rests?: Rests;
  /** Where the container's task is. */
  containerd: { socket: string; namespace: string };
};

/** The keeper's files are in one folder. Paths of sockets have at most 107 bytes. */
export const controlSocket = (folder: string): string => join(folder, "keeper.sock");
export const attachSocket = (folder: string, id: string): string => join(folder, `${id.slice(0, 16)}.sock`);
const SETTINGS = ".json";
export const settingsFile = (folder: string, id: string): string => join(folder, `${id}${SETTINGS}`);
/** Whose settings a file of the folder holds; undefined for files of other kinds. */
export const idOfSettings = (name: string): string | undefined =>
  name.endsWith(SETTINGS) ? name.slice(0, -SETTINGS.length) : undefined;
export const keptIds = (folder: string): string[] => readdirSync(folder).flatMap((name) => idOfSettings(name) ?? []);

/** Of who may be talked with, so much of the output waits for the first client, who has started it to attach to it. */
const MAX_EARLY_BYTES = 64 * 1024;
/** While a client has so much to take, the container waits for it, */
const MAX_WAITING_BYTES = 1024 * 1024;
/** unless it takes nothing at all for so long: then it is let go, ms. */
const STUCK_MS = 60_000;

type Deps = { tasks(): Promise<ContainerdTasks>; timers: Pick<Timers, "after">; now(): number };

export class KeptContainer {
  readonly #settings: KeptSettings;
  readonly #deps: Deps;
  readonly #log: LogWriter;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #outputs: { output: Socket; begun(): void }[];
  readonly #input: Socket | undefined;
  #early: Buffer[] | undefined;
  #slow = new Set<Socket>();

  /** The pipes are there. `onEnd` is called when all that was printed is in the log and with the clients. */
  constructor(settings: KeptSettings, deps: Deps, onEnd: () => void) {
    const { pipes, log, limits, socket, rests } = settings;
    this.#settings = settings;
    this.#early = pipes.stdin || settings.tty ? [] : undefined;
    this.#deps = deps;
    this.#log = new LogWriter(log, limits, deps.now, rests);
    const outputs = [
      { kind: Kind.stdout, path: pipes.stdout },
      ...(pipes.stderr ? [{ kind: Kind.stderr, path: pipes.stderr }] : []),
    ];
    this.#input = pipes.stdin === undefined ? undefined : writePipe(pipes.stdin);
    let open = outputs.length;
    this.#outputs = outputs.map(({ kind, path }) => {
      const pipe = readPipe(path);
      pipe.output.on("data", (data: Buffer) => this.#printed(kind, data));
      pipe.output.on("close", () => {
        if (--open > 0) return;
        this.#end();
        onEnd();
      });
      return pipe;
    });
    discard(socket);
    this.#server = createServer((client) => this.#serve(client));
    this.#server.on("error", () => {}).listen(socket); // where a disk has no room for it, none can attach
  }

  /** The shim has the pipes by now, or never will: when it lets go of them, that is the end. */
  begun(): void {
    for (const output of this.#outputs) output.begun();
  }

  /** With what another keeper needs beside the pipes. */
  get settings(): KeptSettings {
    return { ...this.#settings, rests: this.#log.rests };
  }

  #printed(kind: typeof Kind.stdout | typeof Kind.stderr, data: Buffer): void {
    this.#log.write(kind === Kind.stdout ? "stdout" : "stderr", data);
    if (!this.#early && !this.#clients.size) return;
    const message = frame(kind, data);
    this.#early?.push(message);
    while (this.#early && this.#early.length > 1 && bytesOf(this.#early) > MAX_EARLY_BYTES) this.#early.shift();
    for (const client of this.#clients) {
      client.write(message);
      if (client.writableLength > MAX_WAITING_BYTES) this.#waitFor(client);
    }
  }

  #waitFor(client: Socket): void {
    if (this.#slow.has(client)) return;
    this.#slow.add(client);
    for (const { output } of this.#outputs) output.pause();
    let taken = client.bytesWritten - client.writableLength;
    let cancel = () => {};
    const look = () => {
      cancel = this.#deps.timers.after(STUCK_MS, () => {
        const now = client.bytesWritten - client.writableLength;
        if (now === taken) return void client.destroy();
        taken = now;
        look();
      });
    };
    look();
    const done = () => {
      cancel();
      client.off("drain", done).off("close", done);
      this.#slow.delete(client);
      if (this.#slow.size === 0) for (const { output } of this.#outputs) output.resume();
    };
    client.on("drain", done).on("close", done);
  }

  #serve(client: Socket): void {
    const { tty, id } = this.#settings;
    const once = this.#settings.once && !tty;
    this.#clients.add(client);
    for (const output of this.#early ?? []) client.write(output);
    this.#early = undefined;
    let used = false;
    const reader = new FrameReader((kind, data) => {
      if (kind === Kind.stdin && this.#input?.writable) {
        used = true;
        if (this.#input.write(data)) return;
        client.pause();
        this.#input.once("drain", () => client.resume()).once("close", () => client.resume());
      } else if (kind === Kind.end && this.#input) {
        // Where input stays open for others, whoever has no more of it is done: as upstream.
        if (once) this.#endInput();
        else client.end(frame(Kind.over, Buffer.alloc(0)));
      } else if (kind === Kind.resize && tty) {
        const size = sizeOf(data);
        if (size) this.#ask((tasks) => tasks.resize(id, size));
      }
    });
    client.on("data", (data: Buffer) => reader.push(data));
    client.on("error", () => {});
    client.on("close", () => {
      this.#clients.delete(client);
      if (used && once) this.#endInput();
    });
  }

  /** What has been written is read before the end is seen. */
  #endInput(): void {
    if (!this.#input?.writable) return;
    this.#input.end(() => {
      this.#input?.destroy();
      this.#ask((tasks) => tasks.closeInput(this.#settings.id));
    });
  }

  #ask(what: (tasks: ContainerdTasks) => Promise<void>): void {
    void this.#deps
      .tasks()
      .then(what)
      .catch(() => {}); // it has just ended
  }

  #end(): void {
    this.begun();
    this.#log.end();
    this.#input?.destroy();
    for (const client of this.#clients) client.end(frame(Kind.over, Buffer.alloc(0)));
    this.#server.close();
    const { pipes, socket } = this.#settings;
    for (const path of [socket, ...Object.values(pipes)]) discard(path);
  }
}

/** What lies on a disk that has become read-only stays. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next keeper finds it.
  }
}

const bytesOf = (buffers: Buffer[]) => buffers.reduce((sum, { length }) => sum + length, 0);

function sizeOf(data: Buffer): { width: number; height: number } | undefined {
  const { width, height } = JSON.parse(data.toString()) as { width?: number; height?: number };
  return Number.isInteger(width) && Number.isInteger(height) ? { width: width ?? 0, height: height ?? 0 } : undefined;
}
