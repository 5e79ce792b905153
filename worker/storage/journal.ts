import type { Journal, JournalSegment, Sql } from "./store.ts";

/** A row holds lines up to this length in characters, and begins anew then: each turn writes one row, and few are deleted. */
const SEGMENT_LENGTH = 8 * 1024;
/** Rows at most, and so 32 MiB; those beyond it go some at a time, so that most turns delete none. */
const MAX_SEGMENTS = 4096;
const DROPPED_AT_ONCE = 32;

export type JournalLimits = { segmentLength: number; maxSegments: number; droppedAtOnce: number };

const LIMITS: JournalLimits = {
  segmentLength: SEGMENT_LENGTH,
  maxSegments: MAX_SEGMENTS,
  droppedAtOnce: DROPPED_AT_ONCE,
};

/** Lines of text, one after another, of which the oldest go when there are too many. Segments are numbered without gaps. */
export class SqlJournal implements Journal {
  readonly #sql: Sql;
  readonly #limits: JournalLimits;
  /** The newest segment; undefined while memory does not know it, 0 where there is none. */
  #newest: { id: number; length: number } | undefined;

  constructor(sql: Sql, limits = LIMITS) {
    this.#sql = sql;
    this.#limits = limits;
  }

  append(lines: string, now: number): void {
    const newest = this.#newest ?? this.#find();
    // Unknown until it is written: a throw may have undone it.
    this.#newest = undefined;
    if (newest.id > 0 && newest.length + lines.length <= this.#limits.segmentLength) {
      this.#sql.run("UPDATE journal SET lines = lines || ? WHERE id = ?", lines, newest.id);
      this.#newest = { id: newest.id, length: newest.length + lines.length };
      return;
    }
    const id = newest.id + 1;
    this.#sql.run("INSERT INTO journal (id, at, lines) VALUES (?, ?, ?)", id, now, lines);
    this.#drop(id);
    this.#newest = { id, length: lines.length };
  }

  segments(before: number | undefined, limit: number): JournalSegment[] {
    return this.#sql.all<JournalSegment>(
      "SELECT id, at, lines FROM journal WHERE id < ? ORDER BY id DESC LIMIT ?",
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    );
  }

  #find(): { id: number; length: number } {
    const [row] = this.#sql.all<{ id: number; length: number }>(
      "SELECT id, length(lines) AS length FROM journal ORDER BY id DESC LIMIT 1",
    );
    return row ?? { id: 0, length: 0 };
  }

  #drop(newest: number): void {
    const { maxSegments, droppedAtOnce } = this.#limits;
    if (newest % droppedAtOnce !== 0 || newest <= maxSegments) return;
    this.#sql.run("DELETE FROM journal WHERE id <= ?", newest - maxSegments);
  }
}
