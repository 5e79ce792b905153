import { type ChildProcess, spawn as nodeSpawn, type SpawnOptions } from "node:child_process";

/** What a finished process left behind. `code` is 128 + the signal's number for one that a signal ended. */
export type Finished = { code: number; stdout: string; stderr: string };

export type RunOptions = {
  input?: string | Uint8Array;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The process gets SIGKILL after so many ms, and `code` is 137. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

/** Runs a program to its end and collects its output: `run`, or what starts programs at less cost. */
export type Run = (
  program: string,
  args: readonly string[],
  options?: Pick<RunOptions, "env" | "input" | "timeoutMs">,
) => Promise<Finished>;

const SIGNAL_NUMBERS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Runs a program to its end and collects its output. Rejects only when it cannot be started. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = nodeSpawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      signal: options.signal,
      killSignal: "SIGKILL",
      timeout: options.timeoutMs,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      }),
    );
    if (options.input !== undefined) {
      child.stdin?.on("error", () => {}); // the program may end before it has read its input
      child.stdin?.end(options.input);
    }
  });
}

/** Starts a program and hands its streams to the caller, who owns it and must end it. */
export function spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return nodeSpawn(command, args, options);
}

/** This process becomes another program: it keeps its id, environment and standard streams, and nothing else. */
export function become(path: string, args: readonly string[]): never {
  if (!process.execve) throw new Error("this Node.js cannot become another program: 22.15 or newer can");
  return process.execve(path, [path, ...args], process.env);
}
