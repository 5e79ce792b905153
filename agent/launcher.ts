import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Timers } from "./effects.ts";
import { signalProcess } from "./pods/processes.ts";
import { type Finished, type Run, spawn } from "./process.ts";

/** What tells a launcher among processes; then come its folder and its agent's pid. */
export const LAUNCHER = "skerry-launcher";
/** The code of a program that a SIGKILL ended. */
const KILLED = 137;
/** Where files cost no disk, if the machine has it. */
const MEMORY = "/dev/shm";

/**
 * Each line names a script, which starts a program in the background. `jobs` forgets those that have ended: shells keep
 * their codes until they are asked for. Ends with its agent; programs go on.
 */
const LOOP = 'while read -r script; do . "$2/$script.sh"; jobs >/dev/null; done; rm -rf "$2"';

type Running = {
  resolve(done: Finished): void;
  reject(error: Error): void;
  pid?: number;
  timedOut: boolean;
  cancel(): void;
};

/**
 * A small shell that starts programs for the agent. The kernel copies the page tables of whoever starts one, to throw
 * the copy away, and those of Node.js are large: 4 to 5 ms of processor time a program, half of which the agent stands
 * still; of a shell, less than one. What programs read and print goes through files in memory.
 */
export class Launcher {
  readonly #timers: Timers;
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Map<number, Running>();
  /** Names of files that no program uses now. */
  readonly #free: number[] = [];
  #named = 0;
  #folder = "";
  #shell: ChildProcess | undefined;

  /** `env` is all that programs find beside their own. */
  constructor(timers: Timers, env: NodeJS.ProcessEnv) {
    this.#timers = timers;
    this.#env = env;
  }

  /**
   * A program that cannot be started ends with 127. Rejects when the shell has ended, as it does where the machine has no
   * process left for another shell: the program may have run; and where it has one left for that, but none for the program.
   */
  readonly run: Run = (program, args, { env = {}, input, timeoutMs } = {}) => {
    const shell = this.#shell ?? this.#start();
    return new Promise((resolve, reject) => {
      const name = this.#free.pop() ?? ++this.#named;
      const given = Object.entries(env).map(([key, value]) => `${key}=${quote(value ?? "")}`);
      const words = [...given, ...[program, ...args].map(quote)].join(" ");
      const from = input === undefined ? "/dev/null" : this.#file(name, "in");
      const files = `<${from} >${this.#file(name, "out")} 2>${this.#file(name, "err")}`;
      if (input !== undefined) writeFileSync(from, input);
      writeFileSync(
        this.#file(name, "sh"),
        `{ trap 'echo "${name} code $code"' EXIT; ${words} ${files} & echo "${name} pid $!"; wait $!; code=$?; } &\n`,
      );
      const running: Running = { resolve, reject, timedOut: false, cancel: () => {} };
      this.#running.set(name, running);
      shell.stdin?.write(`${name}\n`);
      if (timeoutMs === undefined) return;
      running.cancel = this.#timers.after(timeoutMs, () => {
        running.timedOut = true;
        kill(running);
      });
    });
  };

  /** Programs go on. */
  stop(): void {
    this.#shell?.stdin?.end();
    this.#ended();
  }

  #start(): ChildProcess {
    this.#folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "skerry-"));
    const shell = spawn("sh", ["-c", LOOP, "sh", LAUNCHER, this.#folder, `${process.pid}`], {
      cwd: "/",
      env: this.#env,
      stdio: ["pipe", "pipe", "ignore"],
      detached: true, // signals to the agent's group do not reach what it starts
    });
    this.#shell = shell;
    const ended = () => {
      if (this.#shell === shell) this.#ended();
    };
    let rest = "";
    shell.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (this.#shell === shell) for (const line of lines) this.#hear(line);
    });
    shell.stdin?.on("error", ended);
    shell.on("error", ended).on("exit", ended);
    return shell;
  }

  #hear(line: string): void {
    const [name, what, number] = line.split(" ");
    const running = this.#running.get(Number(name));
    if (!running) return;
    if (what === "code") return this.#finish(Number(name), running, Number(number));
    running.pid = Number(number);
    if (running.timedOut) kill(running);
  }

  #finish(name: number, running: Running, code: number): void {
    running.cancel();
    this.#running.delete(name);
    this.#free.push(name);
    if (running.pid === undefined) return running.reject(new Error("the machine has no process left for a program"));
    try {
      const [stdout = "", stderr = ""] = ["out", "err"].map((kind) => readFileSync(this.#file(name, kind), "utf8"));
      running.resolve({ code: running.timedOut ? KILLED : code, stdout, stderr });
    } catch (error) {
      running.reject(error as Error);
    }
  }

  #ended(): void {
    this.#shell = undefined;
    for (const { cancel, reject } of this.#running.values()) {
      cancel();
      reject(new Error("the shell that starts programs has ended"));
    }
    this.#running.clear();
    this.#free.length = 0;
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: number, kind: string): string {
    return join(this.#folder, `${name}.${kind}`);
  }
}

function kill({ pid }: Running): void {
  if (pid !== undefined) signalProcess(pid, "SIGKILL");
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
