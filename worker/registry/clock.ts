/**
 * When a registry looks for garbage by itself: a day after a push or a deletion, and so on each day while there may be some.
 * Where there is none no alarm is set, so that an object that nobody asks sleeps and costs nothing. It can be told not to: for
 * images that only something outside the cluster knows of.
 */
import { errorText } from "../lib/error-text.ts";
import { GRACE_MS } from "./facts.ts";

/** How long until there is another look: after one that left what is still needed, was cut short, or failed. */
const AGAIN_MS = { left: 24 * 3_600_000, more: 60_000, failed: 3_600_000 };
/** What is asked of the object that garbage may come of: each push begins with one of the first two. */
const LEAVES_GARBAGE = new Set(["open", "mount", "removeBlob", "removeManifest"]);
const CLUSTER = "cluster";
/** Whose value is a Switch; absent it is "on". */
const BY_CLOCK = "byClock";

export type Switch = "on" | "off";

type Storage = {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
  deleteAlarm(): Promise<void>;
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
    if ((await this.#parts.storage.getAlarm()) === null) await this.#begin(cluster);
    this.#isSet = true;
  }

  async byClock(): Promise<Switch> {
    return (await this.#parts.storage.get(BY_CLOCK)) === "off" ? "off" : "on";
  }

  /** Whether it looks by itself. */
  async setByClock(cluster: string, to: Switch): Promise<void> {
    const { storage, mayRemain } = this.#parts;
    this.#isSet = false;
    await storage.put(BY_CLOCK, to);
    if (to === "off") await storage.deleteAlarm();
    else if (mayRemain()) await this.#begin(cluster);
  }

  async #begin(cluster: string): Promise<void> {
    const { storage, now } = this.#parts;
    await storage.put(CLUSTER, cluster);
    await this.#set(now() + GRACE_MS);
  }

  async #set(at: number): Promise<void> {
    if ((await this.byClock()) === "on") await this.#parts.storage.setAlarm(at);
  }

  async alarm(): Promise<void> {
    this.#isSet = false;
    if ((await this.byClock()) === "off") return;
    const { now, mayRemain } = this.#parts;
    const againMs = await this.#collect();
    if (againMs !== undefined) await this.#set(now() + againMs);
    else if (mayRemain()) await this.#set(now() + AGAIN_MS.left);
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
