/** Processes that a benchmark starts, and what they take. */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { spawn } from "../../agent/process.ts";

/** In MB: `rss` is what is resident; `pss` divides pages that several processes share. */
export type Memory = { name: string; rss: number; pss: number };

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
    // Whatever ends the benchmark ends what it started.
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

  tail(): string {
    return `--- ${this.name}\n${readFileSync(this.log, "utf8").slice(-3000)}`;
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

export function memoryOf(name: string, pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
  return { name, rss: megabytes("Rss"), pss: megabytes("Pss") };
}

export const totalPss = (parts: readonly Memory[]) => parts.reduce((sum, { pss }) => sum + pss, 0);
