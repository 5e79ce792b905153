import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../lib/object.ts";
import type { ApiError } from "../lib/status.ts";
import type { ChangeType, Context, Controller, Intent, View, Watch } from "./controller.ts";
import { Deadlines, type WorkRows } from "./deadlines.ts";
import { Backoff, KeyQueue } from "./queue.ts";
import { Rests } from "./rests.ts";
import { type Queue, Turns } from "./turns.ts";

/** One write: `object` is the new body, or the last one on deletion; `old` is absent on creation. */
export type ObjectChange = {
  type: ChangeType;
  kind: Kind;
  object: Readonly<KubeObject>;
  old?: Readonly<KubeObject>;
};

export type DriverOptions = {
  controllers: readonly Controller[];
  view: View;
  /**
   * Carries an intent out; returns why the API refused it. Never given `again`, which is the driver's own. A promise
   * when others must be asked first: the key is held until then, and runs again when the intent has been carried out.
   */
  apply(
    intent: Exclude<Intent, { do: "again" }>,
    controller: string,
  ): ApiError | undefined | Promise<ApiError | undefined>;
  /** Asks for a turn, because a held key is free; needed where `apply` gives promises. */
  wake?(): void;
  work: WorkRows;
  effects: { now(): number; random(): number };
  /** Writes not handed to `changed` yet, asked for after every reconcile; absent when the caller pushes them all. */
  pull?(): Iterable<ObjectChange>;
  /** How many objects the view has handed out so far: keys that look at many rest. Absent where none is to. */
  looked?(): number;
  /** Told of every refused intent and every reconcile that threw; the key is retried in either case. */
  report?(controller: string, key: string, error: unknown): void;
};

/** How much one `drain` may do. */
export type Budget = {
  reconciles: number;
  /** Stop at this time (ms since the epoch), however many reconciles are left. */
  until?: number;
};

/** While fewer keys wait, a resync goes on. */
const FEW_KEYS = 1000;
/** A conflict means that the key acted on what it had itself just changed: look again at once, but not for ever. */
const CONFLICTS_AT_ONCE = 3;

/**
 * Runs controllers: writes become keys, keys are reconciled, intents are applied, which makes more writes, until all
 * is at rest.
 *
 * What a controller may rely on:
 * - A key queued many times before it runs, runs once. Different keys of one controller run in the order of arrival.
 * - After the last write that maps to a key, that key runs at least once, and its view has the write.
 * - Keys run one at a time. Nothing else writes between a reconcile's look at the view and the end of its intents.
 * - Controllers take turns, one key each, so that a rollout of thousands of pods delays no other controller by more
 *   than one reconcile. Patient ones run when the others are at rest, and after every few hundred reconciles of theirs.
 * - Intents are applied in order up to the first that is refused, or that storage fails; those before it stay, so what
 *   must not be without the other goes `together`. What comes after it is dropped, `refused` may add
 *   events and conditions, and the key runs again after 5 ms, doubled by every failure in a row up to 1,000 s. Deleting
 *   or changing what is gone, and creating in a namespace that is going away, are no failures. Events never fail.
 * - A key that has looked at hundreds of objects rests before it looks again, the longer the more they were, unless it
 *   has created or deleted something.
 * - `again` survives a restart. Of two deadlines for one key the sooner counts; a reconcile that comes early must ask anew.
 *
 * What the caller must do: hand every write to `changed` (or serve them by `pull`), call `drain` until it returns
 * true or the turn is over, and then `persist` in the same transaction as the writes; when `drain` returned false, take
 * another turn soon; when the soonest work row is due or `restedAt` has come, call `due` and drain. Queues are memory,
 * and memory is a cache: what `persist` wrote is all that a new Driver needs.
 */
export class Driver {
  readonly #options: DriverOptions;
  readonly #queues: readonly Queue[];
  readonly #turns: Turns;
  readonly #byName = new Map<string, Queue>();
  readonly #watches = new Map<string, { watch: Watch; queue: Queue }[]>();
  readonly #watchAll: Queue[] = [];
  readonly #backoff = new Backoff();
  readonly #rests = new Rests<{ queue: Queue; key: string }>();
  readonly #conflicts = new Map<string, number>();
  readonly #deadlines: Deadlines;
  /** What a resync has not looked at yet. Its pages are read when they are taken, so none is older than what is told. */
  #unseen: Iterator<ObjectChange[], void> | undefined;
  /** Keys whose intent is being carried out elsewhere. */
  readonly #held = new Set<string>();

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.work, `${options.effects.now()}-${options.effects.random()}`);
    this.#queues = options.controllers.map((controller) => ({ controller, keys: new KeyQueue() }));
    this.#turns = new Turns(this.#queues);
    for (const queue of this.#queues) this.#register(queue);
  }

  #register(queue: Queue): void {
    const { controller } = queue;
    if (this.#byName.has(controller.name)) throw new Error(`two controllers named ${controller.name}`);
    this.#byName.set(controller.name, queue);
    if (controller.watches === "all") {
      this.#watchAll.push(queue);
      return;
    }
    for (const watch of controller.watches) {
      const watchers = this.#watches.get(watch.kind.groupResource);
      if (watchers) watchers.push({ watch, queue });
      else this.#watches.set(watch.kind.groupResource, [{ watch, queue }]);
    }
  }

  /** Whether a controller hears of writes of this kind at all. */
  concerns({ groupResource }: Kind): boolean {
    return this.#watchAll.length > 0 || this.#watches.has(groupResource);
  }

  /** Maps writes to the keys that must run. Cheap; runs no reconcile. */
  changed(changes: Iterable<ObjectChange>): void {
    for (const { type, kind, object, old } of changes) {
      for (const { watch, queue } of this.#watches.get(kind.groupResource) ?? [])
        for (const key of watch.keys(object, old, this.#options.view, type)) this.#add(queue, key);
      for (const queue of this.#watchAll)
        for (const key of queue.controller.keysForAny?.(kind, object, old, type, this.#options.view) ?? [])
          this.#add(queue, key);
    }
  }

  /** Queues one key, as if something it depends on had changed. Of a controller that is not here it queues nothing. */
  enqueue(controller: string, key: string): void {
    const queue = this.#byName.get(controller);
    if (queue) this.#add(queue, key);
  }

  #add({ controller, keys }: Queue, key: string): void {
    const item = `${controller.name} ${key}`;
    if (keys.has(key) || this.#held.has(item) || this.#rests.delays(item, this.#options.effects.now())) return;
    keys.add(key, controller.priorityOf?.(this.#options.view, key));
  }

  /**
   * Queues all that there is, as if it had just been made: what a new version does once with an older version's
   * cluster, whose writes its own controllers have not all seen. Reads everything; not for every start. It does so in
   * `drain`, some objects at a time while few keys wait: all of a large cluster would not fit into memory.
   */
  resync(): void {
    this.#unseen = this.#everything();
  }

  *#everything(): Generator<ObjectChange[]> {
    const { view } = this.#options;
    for (const kind of view.kinds()) {
      if (!this.concerns(kind)) continue;
      for (const page of view.pages(kind)) yield page.map((object) => ({ type: "ADDED", kind, object }));
    }
  }

  /** Looks at some more of what a resync is to look at; false when that was all. */
  #seeSome(): boolean {
    const page = this.#unseen?.next();
    if (page?.value) this.changed(page.value);
    else this.#unseen = undefined;
    return this.#unseen !== undefined;
  }

  /** Loads the deadlines that have come; how many. */
  due(now: number): number {
    const { rows, isLost } = this.#deadlines.come(now);
    for (const { controller, key } of rows) this.enqueue(controller, key);
    if (isLost) this.resync();
    this.#deadlines.tickOff(rows);
    return rows.length;
  }

  /** Keys that wait to run now. */
  get waiting(): number {
    return this.#queues.reduce((sum, { keys }) => sum + keys.size, 0);
  }

  /** When a key has rested that is wanted again (ms): drain then, or later. */
  get restedAt(): number | undefined {
    return this.#rests.next();
  }

  /** Reconciles until nothing is left (true) or the budget is used (false; the rest stays queued). */
  drain(budget: Budget): boolean {
    for (const { queue, key } of this.#rests.over(this.#options.effects.now())) this.#add(queue, key);
    this.#pull();
    for (let left = budget.reconciles; left > 0; left--) {
      if (budget.until !== undefined && this.#options.effects.now() >= budget.until) break;
      const next = this.#turns.take();
      if (next) this.#run(next.queue, next.key);
      const mayLook = this.#unseen !== undefined && this.waiting < FEW_KEYS;
      if (!(mayLook && this.#seeSome()) && !next) break;
      this.#pull();
    }
    return this.waiting === 0 && this.#unseen === undefined;
  }

  /** Writes the deadlines that came up since the last call, and whether keys wait to run: those stay in memory. */
  persist(): void {
    const unfinished =
      this.waiting > 0 || this.#unseen !== undefined || this.#held.size > 0 || this.#rests.next() !== undefined;
    this.#deadlines.persist(unfinished, this.#options.effects.now());
  }

  #pull(): void {
    if (this.#options.pull) this.changed(this.#options.pull());
  }

  #run(queue: Queue, key: string): void {
    const { controller } = queue;
    const { view, effects, report } = this.#options;
    const context: Context = { now: effects.now(), random: effects.random };
    const item = `${controller.name} ${key}`;
    const before = this.#options.looked?.() ?? 0;
    let settled = true;
    try {
      const intents = controller.reconcile(view, key, context);
      for (const [index, intent] of intents.entries()) {
        // Its own writes bring it back, and what they were for is not to wait.
        if (intent.do === "create" || intent.do === "delete") settled = false;
        const result = this.#apply(controller.name, key, intent);
        if (result instanceof Promise) return this.#hold(queue, key, intents.slice(index), result);
        if (result) return this.#refused(queue, key, intent, result, context);
      }
      this.#backoff.forget(item);
      this.#conflicts.delete(item);
      const objects = (this.#options.looked?.() ?? 0) - before;
      if (settled) this.#rests.begin(item, { queue, key }, objects, effects.now());
    } catch (error) {
      report?.(controller.name, key, error);
      this.#retry(controller.name, key, item);
    }
  }

  #refused(queue: Queue, key: string, intent: Intent, error: ApiError, context: Context): void {
    const { controller } = queue;
    const { view, report } = this.#options;
    const item = `${controller.name} ${key}`;
    if (error.reason === "Conflict" && this.#mayRetryAtOnce(item)) return this.#add(queue, key);
    report?.(controller.name, key, error);
    for (const answer of controller.refused?.(view, key, { intent, error }, context) ?? [])
      void this.#apply(controller.name, key, answer);
    this.#retry(controller.name, key, item);
  }

  /**
   * Nothing of the key runs meanwhile, or it would do again what is being done. Of the intents after the first, those that
   * tell of it are carried out when it is; what else there was the key decides anew.
   */
  #hold(queue: Queue, key: string, intents: readonly Intent[], result: Promise<ApiError | undefined>): void {
    const { controller } = queue;
    const [intent, ...rest] = intents as [Intent, ...Intent[]];
    const other = rest.findIndex((next) => next.do !== "event");
    const events = other < 0 ? rest : rest.slice(0, other);
    const { effects, report, wake } = this.#options;
    const item = `${controller.name} ${key}`;
    this.#held.add(item);
    const free = (settle: () => void) => {
      this.#held.delete(item);
      settle();
      wake?.();
    };
    result.then(
      (error) =>
        free(() => {
          const context: Context = { now: effects.now(), random: effects.random };
          if (error && isFailure(intent, error)) return this.#refused(queue, key, intent, error, context);
          if (!error) for (const event of events) void this.#apply(controller.name, key, event);
          this.#add(queue, key);
        }),
      (error: unknown) =>
        free(() => {
          report?.(controller.name, key, error);
          this.#retry(controller.name, key, item);
        }),
    );
  }

  #apply(controller: string, key: string, intent: Intent): ApiError | undefined | Promise<ApiError | undefined> {
    if (intent.do === "again") {
      if (intent.afterMs <= 0) this.enqueue(controller, key);
      else this.#deadlines.add(controller, key, this.#options.effects.now() + Math.ceil(intent.afterMs));
      return undefined;
    }
    const error = this.#options.apply(intent, controller);
    return error instanceof Promise || (error && isFailure(intent, error)) ? error : undefined;
  }

  #mayRetryAtOnce(item: string): boolean {
    const seen = this.#conflicts.get(item) ?? 0;
    this.#conflicts.set(item, seen + 1);
    return seen < CONFLICTS_AT_ONCE;
  }

  #retry(controller: string, key: string, item: string): void {
    this.#conflicts.delete(item);
    this.#deadlines.add(controller, key, this.#options.effects.now() + this.#backoff.next(item));
  }
}

function isFailure(intent: Intent, error: ApiError): boolean {
  if (intent.do === "event") return false;
  if (intent.do === "together") return true;
  if (intent.do !== "create") return error.reason !== "NotFound";
  return !error.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating");
}
