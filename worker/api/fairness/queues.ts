/**
 * Who is served next. There is one thread, so a level's seats are its share of that thread's time: among the levels that
 * have something waiting time goes by their shares, and within a level to each queue alike, by what serving it has cost
 * so far. What a level does not use is lent to the others.
 */

/** Of a PriorityLevelConfiguration, what counts here. */
export type LevelRules = {
  /** Served before all others, and never refused. */
  exempt: boolean;
  shares: number;
  /** Requests that need no queue. */
  seats: number;
  /** Absent where what finds no seat is refused. */
  queuing?: { queues: number; handSize: number; queueLengthLimit: number };
};

/** Requests that are served alike, and the queues that they may wait in. */
export type Flow = { level: Level; hand: readonly number[]; name: string };

/** Where a request stands among others. */
export type Place = {
  flow: Flow;
  /** It writes nothing: where nobody waits it need not either. */
  reads: boolean;
};

type Queue = {
  waiting: unknown[];
  /** Virtual time at which the next of it is due: moves on by the cost of each that is served. */
  due: number;
};

/** One priority level: `rules` change, what waits stays. */
export class Level {
  rules: LevelRules;
  waiting = 0;
  /** Requests that were refused, at once or after they had waited. */
  rejected = 0;
  /** Cost of what was served, by share. */
  spent = 0;
  /** Virtual time: when the queue that was served last was due. */
  time = 0;
  readonly queues = new Map<number, Queue>();

  constructor(rules: LevelRules) {
    this.rules = rules;
  }
}

/** Of what waits in exempt levels, so many are served before one of another's turn comes. */
const EXEMPT_AT_ONCE = 20;
/** A level without shares is served where no other wants to be. */
const LEAST_SHARES = 0.01;
/** Queues without anyone that are remembered by a level. */
const MAX_EMPTY_QUEUES = 1000;

export class FairQueues<Item> {
  readonly #active = new Set<Level>();
  #time = 0;
  #exempt = 0;
  size = 0;

  /** False when the item may not wait: its level's seats are taken and the queue is full. */
  add({ level, hand }: Flow, item: Item): boolean {
    const queue = shortest(level, hand);
    const { exempt, seats, queuing } = level.rules;
    const isFull = level.waiting >= seats && queue.waiting.length >= (queuing?.queueLengthLimit ?? 0);
    if (isFull && !exempt) return false;
    if (queue.waiting.length === 0) queue.due = Math.max(queue.due, level.time);
    queue.waiting.push(item);
    if (level.waiting++ === 0) {
      level.spent = Math.max(level.spent, this.#time);
      this.#active.add(level);
    }
    this.size++;
    return true;
  }

  /** Serves whose turn it is, at the cost that `serve` returns; false when nobody waits. */
  next(serve: (item: Item) => number): boolean {
    const level = this.#level();
    if (!level) return false;
    const queue = soonest(level);
    const item = queue.waiting.shift() as Item;
    this.size--;
    level.waiting--;
    if (level.waiting === 0) this.#active.delete(level);
    level.time = Math.max(level.time, queue.due);
    const cost = serve(item);
    queue.due += cost;
    level.spent += cost / Math.max(level.rules.shares, LEAST_SHARES);
    if (level.waiting === 0) forgetEmpty(level);
    return true;
  }

  #level(): Level | undefined {
    let exempt: Level | undefined;
    let limited: Level | undefined;
    for (const level of this.#active)
      if (level.rules.exempt) exempt ??= level;
      else if (!limited || level.spent < limited.spent) limited = level;
    if (exempt && (!limited || this.#exempt++ < EXEMPT_AT_ONCE)) return exempt;
    this.#exempt = 0;
    if (limited) this.#time = Math.max(this.#time, limited.spent);
    return limited;
  }
}

function shortest(level: Level, hand: readonly number[]): Queue {
  let best: Queue | undefined;
  for (const index of hand) {
    const queue = level.queues.get(index) ?? { waiting: [], due: 0 };
    level.queues.set(index, queue);
    if (!best || queue.waiting.length < best.waiting.length) best = queue;
  }
  if (!best) throw new Error("a flow without a queue");
  return best;
}

function soonest(level: Level): Queue {
  let best: Queue | undefined;
  for (const queue of level.queues.values())
    if (queue.waiting.length > 0 && (!best || queue.due < best.due)) best = queue;
  if (!best) throw new Error("a level without a queue that waits");
  return best;
}

/** What a queue owes is forgotten with it, so only when they are very many. */
function forgetEmpty({ queues }: Level): void {
  if (queues.size <= MAX_EMPTY_QUEUES) return;
  for (const [index, { waiting }] of queues) if (waiting.length === 0) queues.delete(index);
}
