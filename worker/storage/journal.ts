import type { Journal, JournalSegment, Sql } from "./store.ts";

/**
 * A row holds lines up to this length in characters, and begins anew then: most turns write one row, and few are deleted.
 * What is longer does not fit into one page of SQLite, and each turn would write three.
 */
const SEGMENT_LENGTH = 3584;
/** What one turn adds may be longer, up to this: a row holds 2 MB, and a character takes up to three bytes. */
const MAX_LENGTH = 256 * 1024;
/** Segments at most, and so 32 MiB; those beyond it go some at a time, so that most turns delete none. */
const MAX_SEGMENTS = 9362;
const DROPPED_AT_ONCE = 32;

export type JournalLimits = { segmentLength: number; maxLength: number; maxSegments: number; droppedAtOnce: number };

const LIMITS: JournalLimits = {
  segmentLength: SEGMENT_LENGTH,
  maxLength: MAX_LENGTH,
  maxSegments: MAX_SEGMENTS,
  droppedAtOnce: DROPPED_AT_ONCE,
};

/** The segment that grows; its id is 0 where there is none. */
type Newest = { id: number; length: number };

/**
 * Lines of text, one after another, of which the oldest go when there are too many. Ids count segments: a row that is
 * longer than one takes as many of them, so that their distance says how much there is.
 */
export class SqlJournal implements Journal {
  readonly #sql: Sql;
  readonly #limits: JournalLimits;
  /** Undefined while memory does not know it. */
  #newest: Newest | undefined;

  constructor(sql: Sql, limits = LIMITS) {
    this.#sql = sql;
    this.#limits = limits;
  }

  append(lines: string, now: number): void {
    let newest = this.#newest ?? this.#find();
    // Unknown until it is written: a throw may have undone it.
    this.#newest = undefined;
    for (const part of split(lines, this.#limits.maxLength)) newest = this.#add(newest, part, now);
    this.#newest = newest;
  }

  #add({ id, length }: Newest, lines: string, now: number): Newest {
    const { segmentLength } = this.#limits;
    if (id > 0 && length + lines.length <= segmentLength) {
      this.#sql.run("UPDATE journal SET lines = lines || ? WHERE id = ?", lines, id);
      return { id, length: length + lines.length };
    }
    const next = id + Math.max(1, Math.ceil(length / segmentLength));
    this.#sql.run("INSERT INTO journal (id, at, lines) VALUES (?, ?, ?)", next, now, lines);
    this.#drop(id, next);
    return { id: next, length: lines.length };
  }

  segments(before: number | undefined, limit: number): JournalSegment[] {
    return this.#sql.all<JournalSegment>(
      "SELECT id, at, lines FROM journal WHERE id < ? ORDER BY id DESC LIMIT ?",
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    );
  }

  #find(): Newest {
    const [row] = this.#sql.all<Newest>("SELECT id, length(lines) AS length FROM journal ORDER BY id DESC LIMIT 1");
    return row ?? { id: 0, length: 0 };
  }

  #drop(before: number, newest: number): void {
    const { maxSegments, droppedAtOnce } = this.#limits;
    if (newest <= maxSegments || Math.floor(before / droppedAtOnce) === Math.floor(newest / droppedAtOnce)) return;
    this.#sql.run("DELETE FROM journal WHERE id <= ?", newest - maxSegments);
  }
}

/** In parts of at most this length, each of whole lines; a line that is longer is a part of its own. */
function split(lines: string, maxLength: number): string[] {
  const parts: string[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.length - start <= maxLength ? lines.length : lines.lastIndexOf("\n", start + maxLength - 1) + 1;
    const cut = end > start ? end : lines.indexOf("\n", start) + 1 || lines.length;
    parts.push(lines.slice(start, cut));
    start = cut;
  }
  return parts;
}
