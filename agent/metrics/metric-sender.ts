/**
 * Measures once a minute what the node and its pods use, and sends it to the control plane seldom, or when somebody looks.
 * What could not be sent goes later; what an agent holds when it ends, the next one sends.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../worker/lib/error-text.ts";
import {
  HOUR_MS,
  isAskedKey,
  MINUTE_MS,
  type RequestFigures,
  SERIES_GRANT,
  type SeriesGrant,
} from "../../worker/lib/facts/metric-series.ts";
import type { Timers } from "../effects.ts";
import { writeFile } from "../local/home.ts";
import type { Answer } from "../local/http.ts";
import { type Counted, Samples, type SavedSamples } from "./samples.ts";

export type MetricSenderParts = {
  home: string;
  /** The cluster's time, ms since the epoch. */
  now(): number;
  random(): number;
  timers: Pick<Timers, "after">;
  /** By pods' uids, and the node's own. */
  counted(): ReadonlyMap<string, Counted>;
  /** By series, since it was last asked for. Never rejects. */
  requests(): Promise<ReadonlyMap<string, RequestFigures>>;
  /** By the node's credential. */
  send(method: string, path: string, body: object): Promise<Answer>;
  log(message: string): void;
};

/** Where the control plane does not want any, it is asked again so seldom. */
const REFUSED_MS = 6 * HOUR_MS;
/** What is older is not taken any more, less what it may take to arrive. */
const OLDEST_MS = 23 * HOUR_MS;
/** Until the first grant has said how often to send. */
const FIRST_MS = 2 * MINUTE_MS;
/** Looks are no closer to each other. */
const SHORTEST_MS = 5_000;
const REFUSALS = [403, 404, 405];

export class MetricSender {
  readonly #parts: MetricSenderParts;
  readonly #samples: Samples;
  readonly #file: string;
  #grant: SeriesGrant | undefined;
  /** Those that the grant was asked for: it need not know all. */
  #askedFor: ReadonlySet<string> = new Set();
  #dueAt: number;
  #sending: Promise<void> | undefined;
  #isFailing = false;
  #cancel = () => {};
  #stopped = false;

  constructor(parts: MetricSenderParts) {
    this.#parts = parts;
    this.#file = join(parts.home, "metrics.json");
    this.#samples = new Samples(savedIn(this.#file));
    this.#dueAt = parts.now() + FIRST_MS * (1 + parts.random());
  }

  start(): void {
    void this.#look();
  }

  /** What is held is on disk when it returns. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    try {
      writeFile(this.#file, JSON.stringify(this.#samples.saved()));
    } catch (error) {
      this.#parts.log(`figures of the last minutes are not kept: ${errorText(error)}`);
    }
  }

  /** Somebody looks: what there is goes at once. Never rejects. */
  send(): Promise<void> {
    this.#sending ??= this.#sendAll()
      .then(() => {
        this.#isFailing = false;
      })
      .catch((error: unknown) => {
        if (!this.#isFailing) this.#parts.log(`figures are not sent: ${errorText(error)}`);
        this.#isFailing = true;
      })
      .finally(() => {
        this.#sending = undefined;
      });
    return this.#sending;
  }

  async #look(): Promise<void> {
    const { now, timers, counted, requests } = this.#parts;
    const asked = await requests();
    if (this.#stopped) return;
    const at = now();
    this.#samples.take({ at, counted: counted(), requests: asked });
    if (at >= this.#dueAt) void this.send();
    // A timer may come a moment early, and a rate over a moment is none.
    const left = MINUTE_MS - (now() % MINUTE_MS);
    this.#cancel = timers.after(left < SHORTEST_MS ? left + MINUTE_MS : left, () => void this.#look());
  }

  async #sendAll(): Promise<void> {
    const { now, send, log } = this.#parts;
    this.#dueAt = now() + (this.#grant?.everyMs ?? FIRST_MS);
    if (this.#isGrantNeeded() && !(await this.#ask())) return;
    for (let mayAsk = true; !this.#stopped; ) {
      const next = this.#samples.next(now() - OLDEST_MS, (name) => this.#keyOf(name));
      if (!next) return;
      const { slots, start, series } = next;
      const { code, text } = await send("PUT", "/skerry/metrics", { grant: this.#grant?.grant, start, series });
      if (code === 401 && mayAsk) {
        mayAsk = false; // it is over, or sealed under a secret that is not there any more
        if (!(await this.#ask())) return;
        continue;
      }
      // What will never be taken is left out, or nothing after it would be.
      if (code === 400 || code === 413) log(`figures of ${slots.length} minutes are not kept: ${text.slice(0, 200)}`);
      else if (code !== 200) throw new Error(`${code} ${text.slice(0, 200)}`);
      this.#samples.done(slots);
    }
  }

  #keyOf(name: string): string | undefined {
    if (!isAskedKey(name)) return this.#grant?.pods[name];
    return this.#grant?.requests ? name : undefined;
  }

  #isGrantNeeded(): boolean {
    if (!this.#grant) return true;
    const { pods } = this.#grant;
    return [...this.#samples.pods()].some((uid) => !Object.hasOwn(pods, uid) && !this.#askedFor.has(uid));
  }

  /** False where none are wanted. */
  async #ask(): Promise<boolean> {
    const { now, send } = this.#parts;
    const askedFor = this.#samples.pods();
    const { code, text, body } = await send("POST", SERIES_GRANT, {});
    if (REFUSALS.includes(code)) {
      this.#dueAt = now() + REFUSED_MS;
      return false;
    }
    if (code !== 200) throw new Error(`${code} ${text.slice(0, 200)}`);
    const grant = body as SeriesGrant;
    this.#grant = grant;
    this.#askedFor = askedFor;
    this.#dueAt = now() + grant.everyMs;
    return true;
  }
}

/** Once read it is gone: what is in memory is newer. */
function savedIn(file: string): SavedSamples {
  try {
    const saved = JSON.parse(readFileSync(file, "utf8")) as SavedSamples;
    rmSync(file);
    return saved;
  } catch {
    return [];
  }
}
