/** What is counted of requests: how many a second, how many wait for their answers, and since when there was none. */
import type { NodeTraffic, Traffic } from "../../worker/protocol/link.ts";

/** Rates are over so many seconds. */
const WINDOW_S = 30;
const SECOND_MS = 1000;

/** Requests by second, of the last ones; nothing is done while none comes. */
class Meter {
  readonly #counts = new Uint32Array(WINDOW_S);
  #second = 0;
  #last: number;
  pending = 0;

  constructor(now: number) {
    this.#last = now;
  }

  begin(now: number): void {
    const second = Math.floor(now / SECOND_MS);
    this.#forget(second);
    const at = second % WINDOW_S;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#last = now;
    this.pending += 1;
  }

  end(now: number): void {
    this.#last = now;
    this.pending -= 1;
  }

  figures(now: number): Traffic {
    this.#forget(Math.floor(now / SECOND_MS));
    const sum = this.#counts.reduce((all, count) => all + count, 0);
    return { perSecond: sum / WINDOW_S, pending: this.pending, idleMs: Math.max(0, now - this.#last) };
  }

  /** Seconds that no request has come in are empty. */
  #forget(second: number): void {
    const passed = Math.min(second - this.#second, WINDOW_S);
    for (let back = 0; back < passed; back++) this.#counts[(second - back) % WINDOW_S] = 0;
    this.#second = Math.max(second, this.#second);
  }
}

/** What a request is for, as `namespace/name`. */
export type Counted = { service: string; ingress?: string | undefined };

/** One request that is counted. */
export type Count = {
  /** It goes to this address now, and to no other any more. */
  to(address: string): void;
  /** It has its answer, or never will. */
  end(): void;
};

type Group = "services" | "ingresses" | "pods";

export class Counts {
  readonly #now: () => number;
  readonly #began: number;
  readonly #meters: Record<Group, Map<string, Meter>> = { services: new Map(), ingresses: new Map(), pods: new Map() };

  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
  }

  begin({ service, ingress }: Counted): Count {
    const meters = [this.#meter("services", service), ...(ingress ? [this.#meter("ingresses", ingress)] : [])];
    for (const meter of meters) meter.begin(this.#now());
    let pod: Meter | undefined;
    let isOver = false;
    return {
      to: (address) => {
        pod?.end(this.#now());
        pod = this.#meter("pods", address);
        pod.begin(this.#now());
      },
      end: () => {
        if (isOver) return;
        isOver = true;
        for (const meter of [...meters, ...(pod ? [pod] : [])]) meter.end(this.#now());
      },
    };
  }

  figures(): NodeTraffic {
    const now = this.#now();
    const of = (group: Group) =>
      Object.fromEntries([...this.#meters[group]].map(([key, meter]) => [key, meter.figures(now)]));
    this.#shed(now);
    return { countedMs: now - this.#began, services: of("services"), ingresses: of("ingresses"), pods: of("pods") };
  }

  #meter(group: Group, key: string): Meter {
    const meters = this.#meters[group];
    const known = meters.get(key) ?? new Meter(this.#now());
    meters.set(key, known);
    return known;
  }

  /** Addresses of pods come and go; of those that nobody has asked for lately nothing is kept. */
  #shed(now: number): void {
    for (const [address, meter] of this.#meters.pods) {
      const { pending, idleMs } = meter.figures(now);
      if (pending === 0 && idleMs > WINDOW_S * SECOND_MS) this.#meters.pods.delete(address);
    }
  }
}
