/** The audit log: who did what. Lines of JSON in the store's journal, written with the turn that they are of. */
import type { Effects } from "../../lib/effects.ts";
import type { Store } from "../../storage/store.ts";
import { ANONYMOUS } from "../auth/authenticate.ts";
import { type Answered, type AuditEvent, eventOf, lineOf } from "./event.ts";
import { Repeats } from "./repeats.ts";

/** Where storage takes no writes, so many wait at most, and those that come then are lost. */
const MAX_WAITING = 10_000;

export type AuditParts = {
  store: Pick<Store, "journal">;
  effects: Effects;
  /** Makes a turn come soon, at whose end `flush` is called: reads do not wait for it, and many share one row. */
  wake(): void;
};

export class Audit {
  readonly #parts: AuditParts;
  readonly #repeats: Repeats;
  #waiting: string[] = [];
  #isComing = false;
  #isOver = false;

  constructor(parts: AuditParts) {
    this.#parts = parts;
    this.#repeats = new Repeats();
  }

  /** To be called within the turn in which the request was answered. */
  record(answered: Answered): void {
    this.#add(eventOf(answered));
  }

  /** Like `record`, in a turn that this brings about. */
  recordLate(answered: Answered): void {
    this.#add(eventOf(answered));
    this.#wake();
  }

  /**
   * What is told again and again: the first of a kind is recorded, and of the others within a minute their number. Of
   * strangers, who may be anyone on the internet, there is only the number, with what is recorded anyway.
   */
  count(answered: Answered): void {
    const event = eventOf(answered);
    const isStranger = !event.user.username || event.user.username === ANONYMOUS.name;
    if (this.#repeats.add(event, answered.now, isStranger)) return;
    this.#add(event);
    this.#wake();
  }

  /** Writes what is there, in the transaction of the turn. Where that throws, it is there again the next time. */
  flush(): void {
    this.#isComing = false;
    if (this.#waiting.length === 0) return;
    const now = this.#parts.effects.now();
    this.#waiting.push(...this.#repeats.over(now).map(lineOf));
    this.#parts.store.journal.append(this.#waiting.join(""), now);
    this.#waiting = [];
  }

  /** No more turns come: what is still told is written at once. */
  end(): void {
    this.#isOver = true;
    this.flush();
  }

  #wake(): void {
    if (this.#isComing) return;
    this.#isComing = true;
    this.#parts.wake();
  }

  #add(event: AuditEvent): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(lineOf(event));
    if (this.#isOver) this.flush();
  }
}
