/** The agent's side of the keeper: containers whose input and output stay open, and what is said to them. */
import { existsSync, mkdirSync, readdirSync, rmSync, watch } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { ContainerdTasks } from "../containerd-tasks.ts";
import type { Timers } from "../effects.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { addressOf } from "../nerdctl-store.ts";
import type { Command } from "../network/commands.ts";
import { spawn } from "../process.ts";
import { programPath } from "../program.ts";
import type { ContainerOptions, Inspected, Urgency } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { attachSocket, controlSocket, idOfSettings, type KeptSettings, keptIds, settingsFile } from "./kept.ts";
import type { LogLimits } from "./log-writer.ts";
import { Label } from "./observe.ts";
import { holdPipe, makePipes } from "./pipes.ts";

const LOOK_EVERY_MS = 20;
const START_TIMEOUT_MS = 30_000;
/** How long the log of a container that has ended is waited for: a process outside may hold its output open. */
const LOG_TIMEOUT_MS = 5_000;
/** One that ends again and again is started so seldom. */
const AGAIN_MS = 1_000;
/** It may end, having nothing to keep, while it is told. */
const MAX_TRIES = 3;

/** What it reads it has soon written: a small young generation is enough for any flood. */
const FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=2"];

/** How a container's input is held, see `KeptSettings`. */
export type Keeping = { stdin: boolean; tty: boolean; once: boolean };

export type KeeperParts = {
  home: string;
  nerdctl: Nerdctl;
  limits: LogLimits;
  timers: Timers;
  /** Runs a program of the machine. */
  command?: Command;
  /** Hears of each start, of which kind of container. */
  starting?<T>(kind: string, start: () => Promise<T>): Promise<T>;
  /** Of this agent. */
  version?: string;
};

export class Keeper {
  readonly #folder: string;
  readonly #parts: KeeperParts;
  #connection: Promise<Socket> | undefined;
  #endedLately = false;
  /** What a container has printed last is not to be lost when it ends just while there is no keeper. */
  readonly #held = new Map<string, (() => void)[]>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#folder = join(parts.home, "attach");
  }

  /** Once, before anything is started. */
  async prepare(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder)) {
      const [id = "", kind = ""] = name.split(".");
      // An agent was killed before it could hand them over.
      if (kind.startsWith("std") && !this.#keeps(id)) rmSync(join(this.#folder, name), { force: true });
    }
    this.#letGoOfEnded();
    for (const id of keptIds(this.#folder)) this.#hold(id);
    await this.#replace();
    await this.#resume();
  }

  /** A keeper of another version ends. One from before it could be told stays until it has nothing to keep. */
  async #replace(): Promise<void> {
    const connection = await dial(controlSocket(this.#folder)).catch(() => undefined);
    if (!connection) return;
    await answerOf(connection, { version: this.#parts.version ?? VERSION });
    connection.destroy();
  }

  /** Creates and starts a container; one that fails at its start stays, in state Created. */
  async run(options: ContainerOptions, keeping: Keeping, urgency?: Urgency): Promise<Inspected> {
    const { stdin, tty } = keeping;
    const { nerdctl, starting = (_, start) => start() } = this.#parts;
    const flags = [...(stdin ? ["-i"] : []), ...(tty ? ["-t"] : []), ...(options.flags ?? [])];
    const kind = options.labels?.[Label.kind] ?? "";
    const start = async (id: string) => ({ id, pid: await starting(kind, () => this.#startKept(id, keeping)) });
    const [{ id, pid }] = await Promise.all([nerdctl.create({ ...options, flags }, urgency, start), this.#ensure()]);
    return nerdctl.started(id, pid, options);
  }

  async #startKept(id: string, { stdin, tty, once }: Keeping): Promise<number> {
    const { nerdctl, limits, command } = this.#parts;
    const pipe = (name: string) => join(this.#folder, `${id}.${name}`);
    const pipes = {
      ...(stdin && { stdin: pipe("stdin") }),
      stdout: pipe("stdout"),
      ...(!tty && { stderr: pipe("stderr") }),
    };
    const containerd = { socket: addressOf(nerdctl.toml), namespace: nerdctl.namespace };
    const [socket, log] = [attachSocket(this.#folder, id), nerdctl.logPathOf(id)];
    if (!log) throw new Error(`nerdctl keeps nothing of container ${id}`);
    await makePipes(Object.values(pipes), command);
    const told = await this.#tell({ id, pipes, socket, log, limits, tty, once, containerd });
    try {
      this.#hold(id);
      const tasks = new ContainerdTasks(containerd);
      const pid = await tasks.create(id, pipes, tty);
      await tasks.start(id);
      return pid;
    } finally {
      told.destroy();
    }
  }

  /** Where a container can be attached to; undefined when it is over, or none of those that are kept. */
  socketOf(id: string): string | undefined {
    return this.#keeps(id) ? attachSocket(this.#folder, id) : undefined;
  }

  /** Resolves when all that a container printed is in its log, if it is a kept one. */
  async logged(id: string): Promise<void> {
    for (let waited = 0; waited < LOG_TIMEOUT_MS && this.#keeps(id); waited += LOOK_EVERY_MS)
      await this.#parts.timers.sleep(LOOK_EVERY_MS);
  }

  #hold(id: string): void {
    const pipes = ["stdout", "stderr"].map((name) => join(this.#folder, `${id}.${name}`));
    this.#held.set(id, pipes.filter((pipe) => existsSync(pipe)).map(holdPipe));
  }

  /** The keeper removes the settings of a container when it has all that it printed. */
  #letGoOfEnded(): void {
    const watcher = watch(this.#folder, (_, name) => {
      const id = idOfSettings(name ?? "");
      if (id === undefined || this.#keeps(id)) return;
      for (const end of this.#held.get(id) ?? []) end();
      this.#held.delete(id);
    });
    watcher.on("error", () => {}).unref();
  }

  #keeps(id: string): boolean {
    return existsSync(settingsFile(this.#folder, id));
  }

  /** The end of the connection stands for "begun". */
  async #tell(settings: KeptSettings): Promise<Socket> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await this.#ensure();
      const connection = await dial(controlSocket(this.#folder)).catch(() => undefined);
      const answer = connection && (await answerOf(connection, settings));
      if (connection && answer === "") return connection;
      connection?.destroy();
      if (answer) throw new Error(answer);
      await this.#parts.timers.sleep(LOOK_EVERY_MS); // meanwhile its end is seen
    }
    throw new Error("the keeper ends again and again");
  }

  /** Sees to it that there is a keeper, when there is something to keep. */
  async #resume(): Promise<void> {
    if (existsSync(this.#folder) && keptIds(this.#folder).length) await this.#ensure();
  }

  /** Never starts two, which would share what containers print. */
  #ensure(): Promise<Socket> {
    this.#connection ??= this.#start().then(
      (connection) => {
        connection.unref();
        connection.once("close", () => this.#again());
        return connection;
      },
      (error: unknown) => {
        this.#again();
        throw error;
      },
    );
    return this.#connection;
  }

  #again(): void {
    this.#connection = undefined;
    const { after } = this.#parts.timers;
    after(this.#endedLately ? AGAIN_MS : 0, () => void this.#resume().catch(() => {}));
    if (!this.#endedLately)
      after(10 * AGAIN_MS, () => {
        this.#endedLately = false;
      });
    this.#endedLately = true;
  }

  async #start(): Promise<Socket> {
    const socket = controlSocket(this.#folder);
    const there = await dial(socket).catch(() => undefined);
    if (there) return there;
    let hasEnded = true;
    for (let waited = 0; waited < START_TIMEOUT_MS; waited += LOOK_EVERY_MS) {
      if (hasEnded && waited % AGAIN_MS === 0) {
        hasEnded = false;
        this.#spawn(() => {
          hasEnded = true;
        });
      }
      await this.#parts.timers.sleep(LOOK_EVERY_MS);
      const connection = await dial(socket).catch(() => undefined);
      if (connection) return connection;
    }
    throw new Error("the keeper does not start");
  }

  #spawn(onEnd: () => void): void {
    // Two would share what containers print: an agent may just have started one, and been killed.
    const lock = ["--no-fork", "--nonblock", join(this.#folder, "keeper.lock")];
    const program = [process.execPath, ...FLAGS, programPath("pods/keeper"), this.#folder];
    const { environment: env } = this.#parts.nerdctl;
    const child = spawn("flock", [...lock, ...program], { detached: true, stdio: "ignore", env });
    child.on("error", onEnd).on("exit", onEnd).unref();
  }
}

function dial(socket: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.once("connect", () => resolve(connection));
    connection.on("error", reject);
  });
}

/** What it says to the settings of a container: "" when it keeps it; undefined when it has ended. */
function answerOf(connection: Socket, said: KeptSettings | { version: string }): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    connection.on("data", (data: Buffer) => {
      text += data;
      if (text.includes("\n")) resolve(text.trim());
    });
    connection.once("close", () => resolve(undefined));
    connection.write(`${JSON.stringify(said)}\n`);
  });
}
