/**
 * What is asynchronous outside the virtual clock: the platform's cryptography. Its calls run one after another, in the
 * order they were made, and the clock stands still until they are done, so they take no time and decide no order.
 */
import { createHash } from "node:crypto";

let pending = 0;
let tail: Promise<unknown> = Promise.resolve();

/** True while something runs that the clock must wait for. */
export const isBusy = (): boolean => pending > 0;

/** Runs `body` after all that was begun before it; the clock waits for it. */
export function outside<T>(body: () => Promise<T>): Promise<T> {
  pending += 1;
  const run = tail.then(body);
  tail = run.then(
    () => undefined,
    () => undefined,
  );
  void tail.then(() => {
    pending -= 1;
  });
  return run;
}

const QUEUED = ["sign", "verify", "generateKey", "importKey", "exportKey", "deriveBits"] as const;
let installed = false;

/** Puts `crypto.subtle` under the rule above, once a process. */
export function installRealAsync(): void {
  if (installed) return;
  installed = true;
  const prototype = Object.getPrototypeOf(crypto.subtle) as Record<string, (...parameters: unknown[]) => unknown>;
  for (const name of QUEUED) {
    const real = prototype[name];
    if (!real) throw new Error(`crypto.subtle has no ${name}`);
    prototype[name] = function (this: unknown, ...parameters) {
      return outside(async () => real.apply(this, parameters));
    };
  }
  // Hashes are most of the calls, and quick.
  prototype.digest = async (algorithm, data) => {
    const name = typeof algorithm === "string" ? algorithm : (algorithm as { name: string }).name;
    const hash = createHash(name.replace("-", "").toLowerCase())
      .update(data as Uint8Array)
      .digest();
    return hash.buffer.slice(hash.byteOffset, hash.byteOffset + hash.byteLength);
  };
}
