/**
 * What is counted of requests: how many a second, how many wait for their answers, since when there was none; and of
 * answers how many were failures, and how long it took until they began.
 */
import { LATENCY_CLASSES, latencyClass } from "../../worker/lib/facts/latency.ts";
import { ASKED, type AskedGroup, askedKey } from "../../worker/lib/facts/metric-series.ts";
import type { NodeTraffic, Traffic } from "../../worker/protocol/link.ts";

/** Rates are over so many seconds. */
const WINDOW_S = 30;
const SECOND_MS = 1000;

/** Of a second: requests that have begun, those that failed, and how long answers took, by class. */
const [BEGUN, FAILED, TOOK] = [0, 1, 2];
const COLUMNS = TOOK + LATENCY_CLASSES;
/** Nothing is said of what nobody has asked for for so long. */
const SILENT_MS = 3_600_000;

/** Requests by second, of the last ones; nothing is done while none comes. */
class Meter {
  readonly #counts = new Uint32Array(WINDOW_S * COLUMNS);
  #second = 0;
  #last: number;
  pending = 0;
  /** Since it was last taken. */
  #untaken: Answers = none();

  constructor(now: number) {
    this.#last = now;
  }

  begin(now: number): void {
    this.#count(BEGUN, now);
    this.#last = now;
    this.pending += 1;
  }

  end(now: number): void {
    this.#last = now;
    this.pending -= 1;
  }

  answered(now: number, { tookMs, hasFailed }: Outcome): void {
    const kind = latencyClass(tookMs);
    this.#count(TOOK + kind, now);
    this.#untaken.took[kind] = (this.#untaken.took[kind] ?? 0) + 1;
    if (!hasFailed) return;
    this.#count(FAILED, now);
    this.#untaken.failed += 1;
  }

  figures(now: number): Traffic {
    this.#forget(Math.floor(now / SECOND_MS));
    const took = Array.from({ length: LATENCY_CLASSES }, (_, kind) => this.#sum(TOOK + kind));
    const failed = this.#sum(FAILED);
    return {
      perSecond: this.#sum(BEGUN) / WINDOW_S,
      pending: this.pending,
      idleMs: Math.max(0, now - this.#last),
      ...(failed > 0 && { failedPerSecond: failed / WINDOW_S }),
      ...(took.some((count) => count > 0) && { took }),
    };
  }

  /** Undefined where nobody has asked for long. */
  take(now: number): Answers | undefined {
    const taken = this.#untaken;
    this.#untaken = none();
    return now - this.#last > SILENT_MS ? undefined : taken;
  }

  /** Nothing of it is in any figure. */
  isOver(now: number): boolean {
    return this.pending === 0 && now - this.#last > WINDOW_S * SECOND_MS;
  }

  #sum(column: number): number {
    let sum = 0;
    for (let at = column; at < this.#counts.length; at += COLUMNS) sum += this.#counts[at] ?? 0;
    return sum;
  }

  #count(column: number, now: number): void {
    const second = Math.floor(now / SECOND_MS);
    this.#forget(second);
    const at = (second % WINDOW_S) * COLUMNS + column;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Seconds that no request has come in are empty. */
  #forget(second: number): void {
    const passed = Math.min(second - this.#second, WINDOW_S);
    for (let back = 0; back < passed; back++) {
      const at = ((second - back) % WINDOW_S) * COLUMNS;
      this.#counts.fill(0, at, at + COLUMNS);
    }
    this.#second = Math.max(second, this.#second);
  }
}

type Outcome = { tookMs: number; hasFailed: boolean };

/** Requests that have had their answers, by how long until these began, or failed, which `failed` are of them. */
export type Answers = { failed: number; took: number[] };
const none = (): Answers => ({ failed: 0, took: Array<number>(LATENCY_CLASSES).fill(0) });

/** What was counted since it was last taken, over so many ms, by the keys of series. */
export type Taken = { ms: number; answers: Record<string, Answers> };

/** What a request is for, as `namespace/name`: the Ingress or HTTPRoute whose rule it met, too. */
export type Counted = { service: string; ingress?: string | undefined; route?: string | undefined };

/** One request that is counted. */
export type Count = {
  /** It goes to this address now, and to no other any more: one that it went to before has failed it. */
  to(address: string): void;
  /** Its answer has begun, by this status; where none comes, what was told in its place. */
  answered(status: number): void;
  /** It has its whole answer, or never will. Where none has begun, who asked has gone: it took that long, and nobody failed. */
  end(): void;
};

type Group = AskedGroup | "pods";

const isFailure = (status: number) => status >= 500;

export class Counts {
  readonly #now: () => number;
  readonly #began: number;
  readonly #meters: Record<Group, Map<string, Meter>> = {
    services: new Map(),
    ingresses: new Map(),
    httproutes: new Map(),
    pods: new Map(),
  };
  #takenAt: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
    this.#takenAt = this.#began;
  }

  begin({ service, ingress, route }: Counted): Count {
    const began = this.#now();
    const meters = [
      this.#meter("services", service),
      ...(ingress ? [this.#meter("ingresses", ingress)] : []),
      ...(route ? [this.#meter("httproutes", route)] : []),
    ];
    for (const meter of meters) meter.begin(began);
    let pod: { meter: Meter; since: number } | undefined;
    let isAnswered = false;
    let isOver = false;
    const answered = (hasFailed: boolean) => {
      if (isAnswered) return;
      isAnswered = true;
      const now = this.#now();
      for (const meter of meters) meter.answered(now, { tookMs: now - began, hasFailed });
      pod?.meter.answered(now, { tookMs: now - pod.since, hasFailed });
    };
    return {
      to: (address) => {
        const now = this.#now();
        pod?.meter.answered(now, { tookMs: now - pod.since, hasFailed: true });
        pod?.meter.end(now);
        pod = { meter: this.#meter("pods", address), since: now };
        pod.meter.begin(now);
      },
      answered: (status) => answered(isFailure(status)),
      end: () => {
        if (isOver) return;
        isOver = true;
        answered(false);
        for (const meter of [...meters, ...(pod ? [pod.meter] : [])]) meter.end(this.#now());
      },
    };
  }

  figures(): NodeTraffic {
    const now = this.#now();
    const of = (group: Group) =>
      Object.fromEntries([...this.#meters[group]].map(([key, meter]) => [key, meter.figures(now)]));
    this.#shed(now);
    return {
      countedMs: now - this.#began,
      services: of("services"),
      ingresses: of("ingresses"),
      httproutes: of("httproutes"),
      pods: of("pods"),
    };
  }

  /** Each answer is in what one call returns. */
  take(): Taken {
    const now = this.#now();
    const ms = now - this.#takenAt;
    this.#takenAt = now;
    const answers: Record<string, Answers> = {};
    for (const group of Object.keys(ASKED) as AskedGroup[])
      for (const [key, meter] of this.#meters[group]) {
        const taken = meter.take(now);
        if (taken) answers[askedKey(group, key)] = taken;
      }
    this.#shed(now);
    return { ms, answers };
  }

  #meter(group: Group, key: string): Meter {
    const meters = this.#meters[group];
    const known = meters.get(key) ?? new Meter(this.#now());
    meters.set(key, known);
    return known;
  }

  /** Addresses of pods come and go; of those that nobody has asked for lately nothing is kept. */
  #shed(now: number): void {
    for (const [address, meter] of this.#meters.pods) if (meter.isOver(now)) this.#meters.pods.delete(address);
  }
}
