/** Processes that run beside a test or a benchmark. */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { spawn } from "../../agent/process.ts";

const STOP_MS = 5_000;

/** A server in the background whose output goes to a file. */
export class Server {
  readonly name: string;
  readonly child: ChildProcess;
  private readonly log: string;

  constructor(folder: string, name: string, command: string, args: readonly string[], env?: NodeJS.ProcessEnv) {
    this.name = name;
    this.log = join(folder, `${name}.log`);
    const log = openSync(this.log, "a");
    // Whatever ends this process ends what it started.
    this.child = spawn("setpriv", ["--pdeathsig", "TERM", command, ...args], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
      cwd: folder,
    });
    closeSync(log);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** All that it has said. */
  output(): string {
    return readFileSync(this.log, "utf8");
  }

  tail(): string {
    return `--- ${this.name}\n${this.output().slice(-3000)}`;
  }

  async stop(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise<void>((resolve) => this.child.once("exit", () => resolve()));
    this.child.kill("SIGTERM");
    const cancel = effects.after(STOP_MS, () => this.child.kill("SIGKILL"));
    await gone;
    cancel();
  }
}
