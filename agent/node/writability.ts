/**
 * Whether what this node must remember reaches its disk. A disk that is full or read-only is no reason to stop: what is
 * known goes on in memory, is saved once that is possible, and the node says so meanwhile.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1NodeCondition } from "../../worker/kinds/generated/types.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";

/** The Node's condition of our own beside the kubelet's. */
export const STATE_WRITABLE = "StateWritable";

/** Writes a small file in a folder, and takes it away. */
export function probeFolder(folder: string): void {
  const path = join(folder, ".writable");
  writeFileSync(path, "x".repeat(4096), { flush: true });
  rmSync(path);
}

export class Writability {
  /** Why, by what could not be written. */
  readonly #problems = new Map<string, string>();
  /** Called when the first thing could not be written, and when all could again. */
  onChange: () => void = () => {};
  readonly #probe: () => void;

  /** `probe` writes something, to throw the system's own words for what some programs call a disk I/O error. */
  constructor(probe: () => void = () => {}) {
    this.#probe = probe;
  }

  /** Runs `write`; what it throws is kept as the reason until the same succeeds, and thrown again. */
  attempt<T>(what: string, write: () => T): T {
    try {
      const done = write();
      this.forget(what);
      return done;
    } catch (error) {
      this.failed(what, error);
      throw error;
    }
  }

  failed(what: string, error: unknown): void {
    const first = this.#problems.size === 0;
    this.#problems.set(what, this.#reason(error));
    if (first) this.onChange();
  }

  #reason(error: unknown): string {
    try {
      this.#probe();
      return errorText(error);
    } catch (cause) {
      return errorText(cause);
    }
  }

  /** It is written, or need not be any more. */
  forget(what: string): void {
    if (this.#problems.delete(what) && this.#problems.size === 0) this.onChange();
  }

  /** In the words of the first that failed; undefined while all can be written. */
  problem(): string | undefined {
    const [first] = this.#problems;
    return first && `${first[0]}: ${first[1]}`;
  }
}

/** `before` are the Node's conditions as last told, for the time of transition. */
export function writableCondition(
  problem: string | undefined,
  before: readonly CoreV1NodeCondition[],
  now: number,
): CoreV1NodeCondition {
  const status = problem ? "False" : "True";
  const old = before.find(({ type }) => type === STATE_WRITABLE);
  return {
    type: STATE_WRITABLE,
    status,
    lastHeartbeatTime: timestamp(now),
    lastTransitionTime: (old?.status === status && old.lastTransitionTime) || timestamp(now),
    reason: problem ? "StateNotWritable" : "StateWritable",
    message: problem
      ? `the agent cannot save its state; pods go on, and it is saved once that is possible: ${problem}`
      : "the agent can save its state",
  };
}
