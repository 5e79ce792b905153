/** The agent's side of the keeper: containers whose input and output stay open, and what is said to them. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { ContainerdTasks } from "../containerd-tasks.ts";
import type { Timers } from "../effects.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { addressOf } from "../nerdctl-store.ts";
import { spawn } from "../process.ts";
import { programPath } from "../program.ts";
import type { ContainerOptions, Inspected } from "../runtime.ts";
import { FrameReader, frame, Kind } from "./frames.ts";
import { attachSocket, controlSocket, type KeptSettings, settingsFile } from "./kept.ts";
import type { LogLimits } from "./log-writer.ts";
import { makePipes } from "./pipes.ts";

const LOOK_EVERY_MS = 20;
const START_TIMEOUT_MS = 30_000;
/** How long the log of a container that has ended is waited for: a process outside may hold its output open. */
const LOG_TIMEOUT_MS = 5_000;
const AGAIN_MS = 1_000;

/** How a container's input is held, see `KeptSettings`. */
export type Keeping = { stdin: boolean; tty: boolean; once: boolean };

export class Keeper {
  readonly #folder: string;
  readonly #nerdctl: Nerdctl;
  readonly #limits: LogLimits;
  readonly #timers: Timers;
  #watch: Promise<Socket> | undefined;

  constructor(given: { home: string; nerdctl: Nerdctl; limits: LogLimits; timers: Timers }) {
    this.#folder = join(given.home, "attach");
    this.#nerdctl = given.nerdctl;
    this.#limits = given.limits;
    this.#timers = given.timers;
  }

  /** Sees to it that there is a keeper, when there is something to keep. */
  async resume(): Promise<void> {
    if (existsSync(this.#folder) && readdirSync(this.#folder).some((name) => name.endsWith(".json")))
      await this.#ensure();
  }

  /** Starts a container whose input and terminal stay open, whatever becomes of the agent. */
  async run(options: ContainerOptions, { stdin, tty, once }: Keeping): Promise<Inspected> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    await this.#ensure();
    const flags = [...(stdin ? ["-i"] : []), ...(tty ? ["-t"] : []), ...(options.flags ?? [])];
    const id = await this.#nerdctl.create({ ...options, flags });
    const pipe = (name: string) => join(this.#folder, `${id}.${name}`);
    const pipes = {
      ...(stdin && { stdin: pipe("stdin") }),
      stdout: pipe("stdout"),
      ...(!tty && { stderr: pipe("stderr") }),
    };
    await makePipes(Object.values(pipes));
    const containerd = { socket: addressOf(this.#nerdctl.toml), namespace: this.#nerdctl.namespace };
    const [socket, log] = [this.socketOf(id), this.#nerdctl.logPathOf(id)];
    if (!log) throw new Error(`nerdctl keeps nothing of container ${id}`);
    const settings: KeptSettings = { id, pipes, socket, log, limits: this.#limits, tty, once, containerd };
    const told = await this.#tell(settings);
    try {
      const tasks = new ContainerdTasks(containerd);
      const pid = await tasks.create(id, pipes, tty);
      await tasks.start(id);
      return await this.#nerdctl.started(id, pid, options);
    } finally {
      told.destroy();
    }
  }

  /** Where a container can be attached to. */
  socketOf(id: string): string {
    return attachSocket(this.#folder, id);
  }

  /** Resolves when all that a container printed is in its log, if it is a kept one. */
  async logged(id: string): Promise<void> {
    const isOpen = () => existsSync(settingsFile(this.#folder, id));
    for (let waited = 0; waited < LOG_TIMEOUT_MS && isOpen(); waited += LOOK_EVERY_MS)
      await this.#timers.sleep(LOOK_EVERY_MS);
  }

  /** The connection stands for "begun" by its end. */
  async #tell(settings: KeptSettings): Promise<Socket> {
    const control = controlSocket(this.#folder);
    const connection = await dial(control).catch(async () => {
      await this.#start(); // it had nothing to keep, and has ended just now
      return dial(control);
    });
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      connection.on("data", (data: Buffer) => {
        text += data;
        if (text.includes("\n")) resolve(text.trim());
      });
      connection.once("close", () => resolve("the keeper has ended"));
      connection.write(`${JSON.stringify(settings)}\n`);
    });
    if (!answer) return connection;
    connection.destroy();
    throw new Error(answer);
  }

  #ensure(): Promise<Socket> {
    this.#watch ??= this.#start().then(
      (connection) => {
        connection.unref();
        connection.once("close", () => {
          this.#watch = undefined;
          this.#timers.after(AGAIN_MS, () => void this.resume().catch(() => {}));
        });
        return connection;
      },
      (error: unknown) => {
        this.#watch = undefined;
        throw error;
      },
    );
    return this.#watch;
  }

  async #start(): Promise<Socket> {
    const socket = controlSocket(this.#folder);
    const there = await dial(socket).catch(() => undefined);
    if (there) return there;
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", programPath("pods/keeper"), this.#folder],
      {
        detached: true,
        stdio: "ignore",
        env: this.#nerdctl.environment,
      },
    );
    child.on("error", () => {}).unref();
    for (let waited = 0; waited < START_TIMEOUT_MS; waited += LOOK_EVERY_MS) {
      await this.#timers.sleep(LOOK_EVERY_MS);
      const connection = await dial(socket).catch(() => undefined);
      if (connection) return connection;
    }
    throw new Error("the keeper does not start");
  }
}

function dial(socket: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.once("connect", () => resolve(connection));
    connection.on("error", reject);
  });
}

/** Output of an attached container, and ways to speak to it. */
export type Attached = {
  /** Resolves when more may be written; undefined when that is at once. */
  write(data: Uint8Array): Promise<void> | undefined;
  /** No more input comes from this client. */
  end(): void;
  resize(size: { width: number; height: number }): void;
  close(): void;
  /** Resolves when the container has ended or `close` was called: to whether it was told that all was told. */
  closed: Promise<boolean>;
};

/**
 * Attaches to a container by its socket. Rejects when there is none. What `onOutput` returns is awaited before more is
 * read.
 */
export function attachTo(
  socket: string,
  onOutput: (stream: "stdout" | "stderr", data: Buffer) => Promise<void> | void,
): Promise<Attached> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    const taken: (Promise<void> | void)[] = [];
    let isWhole = false;
    const reader = new FrameReader((kind, data) => {
      if (kind === Kind.over) isWhole = true;
      else taken.push(onOutput(kind === Kind.stderr ? "stderr" : "stdout", data));
    });
    // Only when all is passed on, also what came last.
    const closed = new Promise<boolean>((done) =>
      connection.once("close", () => Promise.allSettled(taken).then(() => done(isWhole))),
    );
    connection.on("data", (data: Buffer) => {
      reader.push(data);
      connection.pause();
      void Promise.allSettled(taken).then(() => {
        taken.length = 0;
        connection.resume();
      });
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
