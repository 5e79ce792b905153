import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";
import type { Timers } from "../effects.ts";
import { containerArgs, failureMessage, type Nerdctl, NerdctlError } from "../nerdctl.ts";
import { spawn } from "../process.ts";
import { programPath } from "../program.ts";
import type { ContainerOptions, Inspected } from "../runtime.ts";
import type { KeeperOptions } from "./keeper.ts";

/** First byte of a frame on a keeper's socket; then comes the length of its data, 4 bytes, the high ones first. */
export const Kind = { stdin: 0, stdout: 1, stderr: 2, end: 3, resize: 4 } as const;

const HEADER = 5;
const MOST_FRAME = 16 * 1024 * 1024;
const LOOK_EVERY_MS = 20;
const START_TIMEOUT_MS = 120_000;
/** A container that has ended at once is known to have run after so long, if it did. */
const ENDED_MS = 1_000;

export function frame(kind: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(data.length, 1);
  return Buffer.concat([header, data]);
}

export class FrameReader {
  readonly #onFrame: (kind: number, data: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(onFrame: (kind: number, data: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= HEADER) {
      const length = this.#rest.readUInt32BE(1);
      if (length > MOST_FRAME) throw new Error(`a frame of ${length} bytes`);
      if (this.#rest.length < HEADER + length) return;
      const kind = this.#rest.readUInt8(0);
      const body = this.#rest.subarray(HEADER, HEADER + length);
      this.#rest = this.#rest.subarray(HEADER + length);
      this.#onFrame(kind, body);
    }
  }
}

/** Where a container's keeper listens. Short, as paths of sockets have at most 107 bytes. */
export function keeperSocket(home: string, uid: string, container: string): string {
  const name = createHash("sha256").update(`${uid}/${container}`).digest("hex").slice(0, 16);
  return join(home, "attach", `${name}.sock`);
}

/** How a keeper holds a container's input, see `KeeperOptions`. */
export type Keeping = { tty: boolean; once: boolean };

/** Starts a container whose stdin and terminal stay open, under a keeper that outlives the agent. */
export async function runKept(
  { nerdctl, timers }: { nerdctl: Nerdctl; timers: Timers },
  options: ContainerOptions,
  given: Keeping & { socket: string },
): Promise<Inspected> {
  mkdirSync(dirname(given.socket), { recursive: true, mode: 0o700 });
  forgetKeeper(given.socket);
  const idFile = `${given.socket}.id`;
  const errors = `${given.socket}.errors`;
  // The usual keys to detach (ctrl-p is one) are for the program inside.
  const detachKeys = ["--detach-keys", "ctrl-^,ctrl-^,ctrl-^,ctrl-_"];
  const terminal = given.tty ? ["-t", ...detachKeys] : [];
  const flags = ["-i", ...terminal, "--cidfile", idFile, ...(options.flags ?? [])];
  const command = [nerdctl.binary, "run", "--pull", "never", ...containerArgs({ ...options, flags })];
  const settings: KeeperOptions = { ...given, command, errors };
  const program = programPath("pods/keeper");
  const keeper = spawn(process.execPath, [program, JSON.stringify(settings)], {
    detached: true,
    stdio: "ignore",
    env: nerdctl.environment,
  });
  let ended = false;
  const end = () => {
    ended = true;
  };
  keeper.on("error", end).on("exit", end).unref();
  for (let waited = 0, after = 0; waited < START_TIMEOUT_MS && after < ENDED_MS; waited += LOOK_EVERY_MS) {
    const id = read(idFile).trim();
    const [found] = id ? await nerdctl.inspect([id]) : [];
    // Neither before its start nor for a moment after its end is it what it will be.
    if (found?.State.Running || found?.State.Status === "exited") return found;
    if (ended) after += id ? LOOK_EVERY_MS : ENDED_MS;
    await timers.sleep(LOOK_EVERY_MS);
  }
  throw new NerdctlError(1, ended ? failureMessage(read(errors)) : "the container did not start in time");
}

/** Removes what a keeper leaves on disk. */
export function forgetKeeper(socket: string): void {
  for (const file of [socket, `${socket}.id`, `${socket}.errors`]) rmSync(file, { force: true });
}

const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** Output of an attached container, and ways to speak to it. */
export type Attached = {
  /** Resolves when more may be written; undefined when that is at once. */
  write(data: Uint8Array): Promise<void> | undefined;
  /** No more input comes from this client. */
  end(): void;
  resize(size: { width: number; height: number }): void;
  close(): void;
  /** Resolves when the container has ended or `close` was called. */
  closed: Promise<void>;
};

/**
 * Attaches to a container by its keeper's socket. Rejects when there is none. What `onOutput` returns is awaited before
 * more is read.
 */
export function attachTo(
  socket: string,
  onOutput: (stream: "stdout" | "stderr", data: Buffer) => Promise<void> | void,
): Promise<Attached> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    const taken: (Promise<void> | void)[] = [];
    const reader = new FrameReader((kind, data) =>
      taken.push(onOutput(kind === Kind.stderr ? "stderr" : "stdout", data)),
    );
    // Only when all is passed on, also what came last.
    const closed = new Promise<void>((done) =>
      connection.once("close", () => Promise.allSettled(taken).then(() => done())),
    );
    connection.on("data", (data: Buffer) => {
      reader.push(data);
      connection.pause();
      void Promise.allSettled(taken.splice(0)).then(() => connection.resume());
    });
    connection.on("error", reject);
    connection.once("connect", () =>
      resolve({
        write: (data) => writeTo(connection, frame(Kind.stdin, data)),
        end: () => void connection.write(frame(Kind.end, Buffer.alloc(0))),
        resize: (size) => void connection.write(frame(Kind.resize, Buffer.from(JSON.stringify(size)))),
        close: () => connection.destroy(),
        closed,
      }),
    );
  });
}

/** Writes; a promise of room for more when there is none now, which a closed stream always has. */
export function writeTo(to: Writable, data: Uint8Array): Promise<void> | undefined {
  if (to.write(data) || to.destroyed) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      to.off("drain", done).off("close", done);
      resolve();
    };
    to.on("drain", done).on("close", done);
  });
}
