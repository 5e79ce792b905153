import type { Change } from "../../../worker/storage/store.ts";
import type { Observation, Part } from "../contract.ts";
import type { Alarm } from "./alarm.ts";
import type { Clock } from "./clock.ts";
import type { Conditions } from "./conditions.ts";
import type { Database, Turn } from "./database.ts";
import { between } from "./random.ts";

type GateOptions = {
  clock: Clock;
  part: Part;
  database: Database;
  conditions: Conditions;
  alarm: Alarm;
  observe(observation: Observation): void;
};

/** A turn that has ended, and waits for the disk. */
type Ended = { turn: Turn; changes: readonly Change[]; alarm: number | null | undefined; words: (() => void)[] };

/** What the object says leaves only when all that it wrote before is durable. */
export class OutputGate {
  readonly #options: GateOptions;
  /** Words of the turn that runs, and what it has committed. */
  #words: (() => void)[] = [];
  #changes: Change[] = [];
  #ended: Ended[] = [];
  #durableAt = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Something is not durable yet. */
  get waits(): boolean {
    return this.#ended.length > 0;
  }

  say(release: () => void): void {
    this.#words.push(release);
  }

  committed(changes: readonly Change[]): void {
    this.#changes.push(...changes);
  }

  /** Whether the turn wrote anything. */
  endTurn(): boolean {
    const { database, clock, part, conditions, alarm } = this.#options;
    const turn = database.endTurn();
    const words = this.#words;
    this.#words = [];
    if (!turn) {
      const last = this.#ended.at(-1);
      if (last) last.words.push(...words);
      else for (const release of words) release();
      return false;
    }
    const ended: Ended = { turn, changes: this.#changes.splice(0), alarm: alarm.take(), words };
    this.#ended.push(ended);
    const { least, most } = conditions.storage;
    this.#durableAt = Math.max(this.#durableAt, clock.now + between(part.random, least, most));
    clock.after(this.#durableAt - clock.now, () => {
      if (this.#ended[0] !== ended) return; // lost with its life, or landed before
      this.#ended.shift();
      this.#land(ended);
      for (const release of ended.words) release();
    });
    return true;
  }

  /** All turns reach the disk, and nobody hears of it. */
  landAll(): void {
    for (const ended of this.#ended.splice(0)) this.#land(ended);
  }

  /** The object dies. Some turns had reached the disk although nobody heard of it. */
  lose(): void {
    const { part, database } = this.#options;
    while (this.#ended.length > 0 && part.random() < 0.5) this.#land(this.#ended.shift() as Ended);
    database.lose();
    this.#words = [];
    this.#changes = [];
    this.#ended = [];
  }

  #land({ turn, changes, alarm }: Ended): void {
    const { database, clock, observe } = this.#options;
    database.durable(turn);
    if (alarm !== undefined) this.#options.alarm.durable(alarm);
    if (changes.length > 0) observe({ at: clock.now, type: "commit", changes });
  }
}
