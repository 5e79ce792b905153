/**
 * The storage of the Cluster object: real SQLite, whose writes of one turn become durable together, some time after the
 * turn. What is not durable yet is lost with the object. Turns are savepoints, one within the other.
 */
import { type NodeSql, nodeSql } from "../../../worker/storage/node-sql.ts";
import type { Sql, SqlValue } from "../../../worker/storage/store.ts";

/** A turn that wrote and ended. */
export type Turn = { savepoint: string };

export class Database {
  readonly #sql: NodeSql;
  #serial = 0;
  #open: Turn | undefined;
  #pending: Turn[] = [];
  #outermost: string | undefined;
  /** The world itself looks, through the eyes of a life: nothing fails of it. */
  #isLooking = false;
  /** Asked before every statement; what it throws, the statement throws. */
  beforeStatement: ((isWrite: boolean) => void) | undefined;

  constructor(image: Uint8Array) {
    this.#sql = nodeSql(":memory:", image);
    this.#sql.run("BEGIN");
  }

  /** As one life of the object sees it; `guard` throws when that life is over. */
  as(guard: () => void): Sql {
    const check = (isWrite: boolean) => {
      guard();
      if (!this.#isLooking) this.beforeStatement?.(isWrite);
      if (isWrite) this.touch();
    };
    return {
      all: <Row extends Record<string, SqlValue>>(statement: string, ...parameters: SqlValue[]) => {
        check(false);
        return this.#sql.all<Row>(statement, ...parameters);
      },
      run: (statement, ...parameters) => {
        check(true);
        this.#sql.run(statement, ...parameters);
      },
      transaction: (body) => {
        guard();
        this.touch();
        return this.#sql.transaction(body);
      },
    };
  }

  /** Reads past all faults, for the world's own eyes. */
  look<Row extends Record<string, SqlValue>>(statement: string, ...parameters: SqlValue[]): Row[] {
    return this.#sql.all<Row>(statement, ...parameters);
  }

  /** What `body` makes a life read is no part of its own doings. */
  looking<T>(body: () => T): T {
    this.#isLooking = true;
    try {
      return body();
    } finally {
      this.#isLooking = false;
    }
  }

  /** The turn writes: it is to be all or nothing from here on. */
  touch(): void {
    if (this.#open) return;
    this.#open = { savepoint: `turn_${this.#serial++}` };
    this.#outermost ??= this.#open.savepoint;
    this.#sql.run(`SAVEPOINT ${this.#open.savepoint}`);
  }

  /** The turn is over; what it wrote, if anything, waits to be durable. */
  endTurn(): Turn | undefined {
    const turn = this.#open;
    this.#open = undefined;
    if (turn) this.#pending.push(turn);
    return turn;
  }

  /** The oldest pending turn has reached the disk. */
  durable(turn: Turn): void {
    if (this.#pending.shift() !== turn) throw new Error("turns become durable in order");
    this.#release();
  }

  /** All that is not durable is lost. */
  lose(): void {
    const first = this.#pending[0] ?? this.#open;
    this.#pending = [];
    this.#open = undefined;
    if (first) this.#sql.run(`ROLLBACK TO ${first.savepoint}`);
    this.#release();
  }

  close(): void {
    this.#sql.close();
  }

  /** A savepoint within another cannot be released alone: all go when the last is durable. */
  #release(): void {
    if (!this.#outermost || this.#open || this.#pending.length > 0) return;
    this.#sql.run(`RELEASE ${this.#outermost}`);
    this.#outermost = undefined;
    // Names begin anew, since prepared statements are kept by their text.
    this.#serial = 0;
  }
}
