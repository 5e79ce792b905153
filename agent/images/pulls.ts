import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import { limiter } from "../limiter.ts";
import type { Runtime } from "../runtime.ts";
import type { Fetching } from "./content.ts";
import type { Credential } from "./keyring.ts";
import { aggregate, goMilliseconds, pullFailure } from "./words.ts";

/** A pull that was done: by which credential, and how long it took once it had its turn. */
export type Pulled = { credential?: Credential; tookMs: number };

export type PullLimits = {
  /** At most so many pulls at once. */
  parallel: number;
  /** A pull to which nothing comes for so long is given up, as containerd's `image_pull_progress_timeout` has it. */
  progressDeadlineMs: number;
};

/** The kubelet's default, and that of containerd's `image_pull_progress_timeout`. */
export const PULL_LIMITS: PullLimits = { parallel: 1, progressDeadlineMs: 300_000 };

/** How often a pull is looked at, and told of. */
const LOOK_MS = 10_000;
/** A pull to which nothing comes for so long lets others have its turn. */
const STALLED_MS = 20_000;

type Listener = { onProgress(fetching: Fetching): void };
type Ongoing = { listeners: Set<Listener>; abort: AbortController };
type Flight = Ongoing & { done: Promise<Pulled> };

/** Pulls images, each once however many pods wait for it, until nobody waits any more. */
export class Pulls {
  readonly #deps: { runtime: Runtime; effects: Effects & Timers; limits: PullLimits };
  readonly #turns: ReturnType<typeof limiter>;
  readonly #flights = new Map<string, Flight>();

  constructor(deps: { runtime: Runtime; effects: Effects & Timers; limits: PullLimits }) {
    this.#deps = deps;
    this.#turns = limiter(deps.limits.parallel);
  }

  /**
   * Tries the credentials in turn, or none where there are none. Rejects with the kubelet's words for what went wrong, or
   * with the signal's reason.
   */
  async pull(
    image: string,
    credentials: readonly Credential[],
    listener: Listener,
    signal?: AbortSignal,
  ): Promise<Pulled> {
    signal?.throwIfAborted();
    const key = [image, ...credentials.map(({ hash }) => hash)].join("\n");
    const flight = this.#flights.get(key) ?? this.#begin(key, image, credentials);
    const waiting = { ...listener };
    flight.listeners.add(waiting);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([flight.done, left]);
    } finally {
      signal?.removeEventListener("abort", leave);
      flight.listeners.delete(waiting);
      if (flight.listeners.size === 0) this.#end(key, flight, new Error("context canceled"));
    }
  }

  #begin(key: string, image: string, credentials: readonly Credential[]): Flight {
    const common = { listeners: new Set<Listener>(), abort: new AbortController() };
    const flight: Flight = { ...common, done: this.#fly(common, image, credentials) };
    const end = () => this.#end(key, flight);
    flight.done.then(end, end);
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight, reason?: Error): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    if (reason) flight.abort.abort(reason);
  }

  /** A pull keeps its turn until it ends or stalls. */
  #fly(flight: Ongoing, image: string, credentials: readonly Credential[]): Promise<Pulled> {
    const { promise, resolve, reject } = Promise.withResolvers<Pulled>();
    const turn = this.#turns(async () => {
      flight.abort.signal.throwIfAborted();
      const { promise: stalled, resolve: yieldTurn } = Promise.withResolvers<void>();
      const done = this.#watched(flight, image, credentials, yieldTurn);
      done.then(resolve, reject);
      await Promise.race([done, stalled]);
    });
    turn.catch(reject);
    return promise;
  }

  async #watched(
    flight: Ongoing,
    image: string,
    credentials: readonly Credential[],
    yieldTurn: () => void,
  ): Promise<Pulled> {
    const { effects } = this.#deps;
    const began = effects.now();
    const endWatch = this.#watch(flight, image, yieldTurn);
    try {
      const credential = await this.#tryAll(image, credentials, flight.abort.signal);
      return { ...(credential && { credential }), tookMs: effects.now() - began };
    } finally {
      endWatch();
    }
  }

  async #tryAll(
    image: string,
    credentials: readonly Credential[],
    signal: AbortSignal,
  ): Promise<Credential | undefined> {
    const failures: string[] = [];
    for (const credential of credentials.length ? credentials : [undefined])
      try {
        await this.#deps.runtime.pull(image, { credential, signal });
        return credential;
      } catch (error) {
        const cause = signal.aborted ? (signal.reason as Error) : (error as Error);
        failures.push(pullFailure(image, cause.message));
        if (signal.aborted) break;
      }
    throw new Error(aggregate(failures));
  }

  /** Looks at what has come, from time to time, until the returned function is called. */
  #watch(flight: Ongoing, image: string, yieldTurn: () => void): () => void {
    const { runtime, effects, limits } = this.#deps;
    if (!runtime.fetching) return () => {};
    let cancel = () => {};
    let mark = "";
    let since = effects.now();
    const look = () => {
      const now = effects.now();
      const fetching = runtime.fetching?.(image);
      const unpacking = fetching && fetching.totalBytes > 0 && fetching.bytes === fetching.totalBytes;
      if (fetching && (unpacking || fetching.mark !== mark)) [mark, since] = [fetching.mark, now];
      if (fetching?.totalBytes) for (const { onProgress } of flight.listeners) onProgress(fetching);
      if (now - since >= STALLED_MS) yieldTurn();
      if (now - since >= limits.progressDeadlineMs)
        flight.abort.abort(new Error(`no progress in ${goMilliseconds(limits.progressDeadlineMs)}: context canceled`));
      else cancel = effects.after(LOOK_MS, look);
    };
    cancel = effects.after(LOOK_MS, look);
    return () => cancel();
  }
}
