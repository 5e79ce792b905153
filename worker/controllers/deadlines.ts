export type WorkRow = { controller: string; key: string; due: number };

/** Reconciles that wait for a time, kept where they survive this process. The store's work queue is one. */
export type WorkRows = {
  enqueue(item: WorkRow): void;
  due(now: number, limit: number): WorkRow[];
  done(controller: string, key: string): void;
};

const DUE_ROWS_AT_ONCE = 1000;
/** Whose rows stand while keys wait in the memory of a driver (one a driver), and how long after a crash those are looked for. */
const UNFINISHED = "";
const UNFINISHED_MS = 10_000;

/**
 * What a driver has written down: when which key runs again, and that keys wait in its memory. Of those one row is
 * the mark, for the case that this memory is lost: thousands of them would cost as many rows.
 */
export class Deadlines {
  readonly #work: WorkRows;
  /** The key of this driver's own mark: what another left when its memory went is not this one's to tick off. */
  readonly #mark: string;
  /** The mark's row stands. */
  #marked = false;
  /** Not written yet: controller → key → due. */
  readonly #later = new Map<string, Map<string, number>>();

  constructor(work: WorkRows, mark: string) {
    this.#work = work;
    this.#mark = mark;
  }

  /** Of two deadlines for one key the sooner counts. */
  add(controller: string, key: string, due: number): void {
    const keys = this.#later.get(controller) ?? new Map<string, number>();
    this.#later.set(controller, keys);
    keys.set(key, Math.min(due, keys.get(key) ?? due));
  }

  /** The rows that have come, marks among them. `isLost`: a driver ended while keys waited in its memory. */
  come(now: number): { rows: readonly WorkRow[]; isLost: boolean } {
    const rows = this.#work.due(now, DUE_ROWS_AT_ONCE);
    return { rows, isLost: rows.some(({ controller, key }) => controller === UNFINISHED && key !== this.#mark) };
  }

  /** To be called when their keys wait in memory and not sooner: storage may fail at any of the rows. */
  tickOff(rows: readonly WorkRow[]): void {
    for (const { controller, key } of rows) {
      this.#work.done(controller, key);
      if (controller === UNFINISHED && key === this.#mark) this.#marked = false;
    }
  }

  /** Writes what came up since the last call. `unfinished`: keys wait in memory. */
  persist(unfinished: boolean, now: number): void {
    for (const [controller, keys] of this.#later)
      for (const [key, due] of keys) this.#work.enqueue({ controller, key, due });
    this.#later.clear();
    if (unfinished === this.#marked) return;
    if (unfinished) this.#work.enqueue({ controller: UNFINISHED, key: this.#mark, due: now + UNFINISHED_MS });
    else this.#work.done(UNFINISHED, this.#mark);
    this.#marked = unfinished;
  }
}
