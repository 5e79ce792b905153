import type { Part } from "../contract.ts";
import type { Clock } from "./clock.ts";
import { stream, uid } from "./random.ts";

/** Time, timers and chance of the part called `name`. */
export function part(clock: Clock, seed: number, name: string): Part {
  const random = stream(seed, name);
  return {
    now: () => clock.now,
    random,
    uid: () => uid(random),
    after: (ms, body) => clock.after(ms, body),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = clock.after(ms, () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        });
        signal?.addEventListener("abort", abort, { once: true });
      }),
  };
}
