/**
 * When a registry looks for garbage by itself: a day after a push or a deletion, and so on each day while there may be some.
 * Where there is none no alarm is set, so that an object that nobody asks sleeps and costs nothing.
 */
import { errorText } from "../lib/error-text.ts";
import { GRACE_MS } from "./facts.ts";

/** How long until there is another look: after one that left what is still needed, was cut short, or failed. */
const AGAIN_MS = { left: 24 * 3_600_000, more: 60_000, failed: 3_600_000 };
/** What is asked of the object that garbage may come of: each push begins with one of the first two. */
const LEAVES_GARBAGE = new Set(["open", "mount", "removeBlob", "removeManifest"]);
const CLUSTER = "cluster";

type Storage = {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
};

export type ClockParts = {
  storage: Storage;
  now(): number;
  /** `cluster` is the name of the registry's cluster. `more` where it was cut short. */
  collect(cluster: string): Promise<{ more: boolean }>;
  mayRemain(): boolean;
  log(message: string): void;
};

export class CollectionClock {
  readonly #parts: ClockParts;
  #isSet = false;

  constructor(parts: ClockParts) {
    this.#parts = parts;
  }

  /** Something was asked of the object. */
  async asked(cluster: string, name: string): Promise<void> {
    if (this.#isSet || !LEAVES_GARBAGE.has(name)) return;
    const { storage, now } = this.#parts;
    if ((await storage.getAlarm()) === null)
      await Promise.all([storage.put(CLUSTER, cluster), storage.setAlarm(now() + GRACE_MS)]);
    this.#isSet = true;
  }

  async alarm(): Promise<void> {
    this.#isSet = false;
    const { storage, now, mayRemain } = this.#parts;
    const againMs = await this.#collect();
    if (againMs !== undefined) await storage.setAlarm(now() + againMs);
    else if (mayRemain()) await storage.setAlarm(now() + AGAIN_MS.left);
  }

  async #collect(): Promise<number | undefined> {
    const { storage, collect, log } = this.#parts;
    const cluster = await storage.get(CLUSTER);
    if (cluster === undefined) return undefined;
    try {
      return (await collect(cluster)).more ? AGAIN_MS.more : undefined;
    } catch (error) {
      log(`garbage of the registry is not collected now: ${errorText(error)}`);
      return AGAIN_MS.failed;
    }
  }
}
