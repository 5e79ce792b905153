import type { ChildProcess } from "node:child_process";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A process that ran so long starts its backoff anew. */
const STEADY_MS = 30_000;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 3_000;

export type KeptProcess = {
  name: string;
  start(): ChildProcess;
  /** Called after each unexpected end, before the restart. */
  ended(why: string): void;
};

/** Keeps one process running: starts it again with backoff whenever it ends, until told to stop. */
export class Keeper {
  private readonly kept: KeptProcess;
  private readonly effects: Effects & Timers;
  private child: ChildProcess | undefined;
  private failures = 0;
  private stopping = false;

  constructor(kept: KeptProcess, effects: Effects & Timers) {
    this.kept = kept;
    this.effects = effects;
  }

  start(): void {
    const started = this.effects.now();
    const child = this.kept.start();
    this.child = child;
    const over = (why: string) => {
      if (this.child !== child) return;
      this.child = undefined;
      if (this.stopping) return;
      this.kept.ended(why);
      this.failures = this.effects.now() - started > STEADY_MS ? 0 : this.failures + 1;
      const delay = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (this.failures - 1));
      this.effects.after(delay, () => {
        if (!this.stopping) this.start();
      });
    };
    child.on("error", (error) => over(error.message));
    child.on("exit", (code, signal) => over(signal ? `killed by ${signal}` : `exit code ${code}`));
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** SIGTERM, then SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.stopping = true;
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    const cancel = this.effects.after(GRACE_MS, () => child.kill("SIGKILL"));
    await gone;
    cancel();
  }
}
