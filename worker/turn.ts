/**
 * Group commit: everything that arrived in one event-loop turn runs in one synchronous stretch, and so in one
 * implicit transaction of the platform, with one fsync. Replies are released when the platform has made it durable.
 *
 * A turn does not take all that waits, only as much as is done in a few milliseconds, chosen fairly: whoever sends
 * hundreds of requests at once waits for them, and others do not.
 */
import { Crowd } from "./api/fairness/crowd.ts";
import { Drops } from "./api/fairness/drops.ts";
import { FairQueues, type Level, type Place } from "./api/fairness/queues.ts";
import { TooManyRequests } from "./api/fairness/refusal.ts";
import { ApiError } from "./lib/status.ts";

type Waiting = { body: () => unknown; resolve(value: unknown): void; reject(error: unknown): void };
type Queued = Waiting & { place: Place; since: number };

/** Of what waits, so much is served in one turn: by the clock, and by number where the clock stands still meanwhile. */
const SERVED_MS = 5;
const SERVED = 50;
/** So much when one client alone is left, and others are about: what it sends next, they wait for. */
const SHARED_MS = 2;
const SHARED = 8;
/** And after it the thread is kept free for those others: in ms. */
const REST_MS = 10;
/** The least that a request counts as, in ms. */
const LEAST_COST_MS = 0.2;
/** Reads that wait for no turn, until one comes: in ms. */
const READS_MS = 5;
/** As kube-apiserver: a quarter of the time that a request may take. */
const LONGEST_WAIT_MS = 15_000;

export type TurnOptions = {
  defer(body: () => void, ms?: number): void;
  /**
   * Brings the cluster to rest after the bodies, within the turn; `served`: whether there were requests among them.
   * True when it was put off for them: the next turn is for it alone.
   */
  settle(served: boolean): boolean;
  now(): number;
};

export class Turn {
  /** The cluster's own: all of it is done in the next turn. */
  private waiting: Waiting[] = [];
  private readonly queues = new FairQueues<Queued>();
  private readonly crowd = new Crowd();
  private readonly drops = new WeakMap<Level, Drops>();
  private readonly options: TurnOptions;
  /** When the next turn comes, if one was asked for. */
  private comesAt: number | undefined;
  /** Until then the one client that is left waits. */
  private restsUntil = Number.NEGATIVE_INFINITY;
  /** The next turn serves nobody: what they left to do has waited for one turn already. */
  private isOwed = false;
  /** What reads have cost since the last turn, ms. */
  private readsMs = 0;
  private isOver = false;

  constructor(options: TurnOptions) {
    this.options = options;
  }

  /** Runs `body` in the next turn, or in one soon when it has a place; a throw is its own caller's alone. */
  run<T>(body: () => T, place?: Place): Promise<T> {
    if (this.isOver) return Promise.reject(new TurnsOver());
    return new Promise<T>((resolve, reject) => {
      const waiting = { body, resolve: resolve as (value: unknown) => void, reject };
      if (!place) this.waiting.push(waiting);
      else if (place.reads && this.queues.size === 0 && this.readsMs < READS_MS) {
        const done = this.serve(waiting);
        this.readsMs += done.cost;
        return done.answer();
      } else {
        const now = this.options.now();
        if (!this.queues.add(place.flow, { ...waiting, place, since: now })) return reject(this.refusal(place, now));
        this.crowd.came(place.flow.name);
      }
      this.come(this.rest());
    });
  }

  /** Asks for a turn, or runs something in the next, for nobody in particular: where there are no more turns, it is let be. */
  async own(body: () => void = () => {}): Promise<void> {
    try {
      await this.run(body);
    } catch (error) {
      if (!(error instanceof TurnsOver)) throw error;
    }
  }

  /** There are no more turns: what waits is refused, and what is yet to come. May be called within one. */
  end(): void {
    this.isOver = true;
  }

  private come(ms = 0): void {
    const at = this.options.now() + ms;
    if (this.comesAt !== undefined && this.comesAt <= at) return;
    this.comesAt = at;
    this.options.defer(() => {
      if (this.comesAt === at) this.flush();
    }, ms);
  }

  /** What is left waits for a turn: if it is one client's, until the others have had their chance to come first. */
  private goOn(): void {
    const now = this.options.now();
    if (this.restsUntil <= now && this.crowd.isLeftToOne(now)) this.restsUntil = now + REST_MS;
    this.come(this.rest(now));
  }

  /** How long the one client that is left has to wait yet, ms. */
  private rest(now = this.options.now()): number {
    const isResting = !this.isOver && this.waiting.length === 0 && this.crowd.isLeftToOne(now);
    // A clock that was put back does not make it longer.
    return isResting ? Math.min(REST_MS, Math.max(0, this.restsUntil - now)) : 0;
  }

  private refusal({ flow: { level } }: Place, now: number): TooManyRequests {
    const drops = this.drops.get(level) ?? new Drops();
    this.drops.set(level, drops);
    level.rejected++;
    return new TooManyRequests(drops.record(now));
  }

  private flush(): void {
    this.comesAt = undefined;
    this.readsMs = 0;
    const answers = this.waiting.splice(0).map((own) => this.answerOf(own));
    const own = answers.length;
    const start = this.options.now();
    const serve = (queued: Queued): number => {
      this.crowd.served(queued.place.flow.name, start);
      const { answer, cost } = this.serveQueued(queued);
      answers.push(answer);
      return cost;
    };
    const isEnough = () => {
      const now = this.options.now();
      const [count, ms] = this.crowd.isLeftToOne(now) ? [SHARED, SHARED_MS] : [SERVED, SERVED_MS];
      return !this.isOver && (answers.length - own >= count || now - start >= ms);
    };
    if (!this.isOwed || this.isOver) while (this.rest() === 0 && this.queues.next(serve)) if (isEnough()) break;
    this.isOwed = false;
    try {
      if (!this.isOver) this.isOwed = this.options.settle(answers.length > own);
    } finally {
      for (const answer of answers) answer();
      if (this.queues.size > 0) this.goOn();
    }
  }

  private serveQueued(queued: Queued): { answer: () => void; cost: number } {
    const { place, since, reject } = queued;
    const now = this.options.now();
    if (place.flow.level.rules.exempt || now - since < LONGEST_WAIT_MS) return this.serve(queued);
    const refusal = this.refusal(place, now);
    return { answer: () => reject(refusal), cost: 0 };
  }

  private serve(waiting: Waiting): { answer: () => void; cost: number } {
    const start = this.options.now();
    const answer = this.answerOf(waiting);
    return { answer, cost: Math.max(LEAST_COST_MS, this.options.now() - start) };
  }

  private answerOf({ body, resolve, reject }: Waiting): () => void {
    try {
      if (this.isOver) throw new TurnsOver();
      const value = body();
      return () => resolve(value);
    } catch (error) {
      return () => reject(error);
    }
  }
}

/** Clients that see `retryAfterSeconds` ask again, and are served by what has come after. */
class TurnsOver extends ApiError {
  constructor() {
    super(503, "ServiceUnavailable", "the cluster was restored meanwhile: ask again", { retryAfterSeconds: 1 });
  }
}
