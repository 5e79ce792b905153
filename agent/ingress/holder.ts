/** Requests that wait for a Service that is scaled to zero, while it is scaled up for them. */
import { WAITING_PAGE } from "../../worker/lib/waiting-page.ts";
import type { Changes } from "../changes.ts";
import type { Timers } from "../effects.ts";
import { Refusal } from "./target.ts";

/** Requests that wait for one Service, and for all together. Their bodies are not read meanwhile. */
const MAX_HELD_PER_SERVICE = 100;
const MAX_HELD = 400;
/** How long one waits, ms. */
const HELD_MS = 60_000;
/** How long a browser waits until it is told what it waits for, ms. */
const PAGE_AFTER_MS = 5_000;
/** The cluster is told again so often while one waits, ms: it may have been away. */
const TOLD_EVERY_MS = 4_000;
/** What clients are told to wait before they come again, s. */
const AGAIN_S = 10;

/** Who waits. */
export type Waiting = {
  /** Since when, ms. */
  since: number;
  /** A browser that loads a page. */
  isPage: boolean;
  /** The client has gone. */
  gone: AbortSignal;
  /** It asks again after this, whether something changed or not, ms. */
  againMs?: number;
};

export class Holder {
  readonly #timers: Timers;
  readonly #now: () => number;
  /** Tells the cluster that requests wait for a Service, as `namespace/name`. */
  readonly #wake: (service: string) => void;
  readonly #held = new Map<string, { count: number; cancel(): void }>();
  #all = 0;

  constructor(timers: Timers, now: () => number, wake: (service: string) => void) {
    this.#timers = timers;
    this.#now = now;
    this.#wake = wake;
  }

  /** Resolves after each change, or now and then, to be asked again; throws the `Refusal` of who has waited enough. */
  async hold(service: string, { since, isPage, gone, againMs }: Waiting, changes: Changes): Promise<void> {
    const waited = this.#now() - since;
    const patience = isPage ? PAGE_AFTER_MS : HELD_MS;
    if (waited >= patience) throw isPage ? starting() : tooLong();
    const held = this.#held.get(service) ?? { count: 0, cancel: () => {} };
    if (held.count >= MAX_HELD_PER_SERVICE || this.#all >= MAX_HELD) throw tooMany();
    held.count += 1;
    this.#all += 1;
    this.#held.set(service, held);
    if (held.count === 1) this.#tell(service, held);
    try {
      await changes.within(Math.min(patience - waited, againMs ?? patience), this.#timers, gone);
    } finally {
      held.count -= 1;
      this.#all -= 1;
      if (held.count === 0) {
        held.cancel();
        this.#held.delete(service);
      }
    }
  }

  #tell(service: string, held: { cancel(): void }): void {
    this.#wake(service);
    held.cancel = this.#timers.after(TOLD_EVERY_MS, () => this.#tell(service, held));
  }
}

const starting = () => new Refusal(503, "the service starts", { retryAfter: AGAIN_S, page: WAITING_PAGE });
const tooLong = () => new Refusal(503, `the service did not start within ${HELD_MS / 1000} s`, { retryAfter: AGAIN_S });
const tooMany = () => new Refusal(503, "too many requests wait for the service to start", { retryAfter: AGAIN_S });
