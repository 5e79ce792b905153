import type { Timers } from "./effects.ts";

/** Who waits for the next change of something. A promise that all of them race on would keep each until it resolves. */
export class Changes {
  #waiting = new Set<() => void>();

  get waiting(): number {
    return this.#waiting.size;
  }

  happened(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next change, after `ms` without one, or when `gone` is aborted. */
  async within(ms: number, { after }: Timers, gone?: AbortSignal): Promise<void> {
    if (gone?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const waiting = this.#waiting.add(wake);
    const cancel = after(ms, wake);
    gone?.addEventListener("abort", wake);
    await promise;
    gone?.removeEventListener("abort", wake);
    cancel();
    waiting.delete(wake);
  }
}
