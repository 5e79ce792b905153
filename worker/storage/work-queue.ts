import type { Sql, WorkItem, WorkQueue } from "./store.ts";

export class SqlWorkQueue implements WorkQueue {
  readonly #sql: Sql;
  /** Nothing is due before this time (ms): each turn asks, and few have anything to do. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  enqueue({ controller, key, due }: WorkItem): void {
    this.#notBefore = Math.min(this.#notBefore, due);
    this.#sql.run(
      `INSERT INTO work (controller, key, due) VALUES (?, ?, ?)
       ON CONFLICT (controller, key) DO UPDATE SET due = excluded.due WHERE excluded.due < work.due`,
      controller,
      key,
      due,
    );
  }

  due(now: number, limit: number): WorkItem[] {
    if (now < this.#notBefore) return [];
    return this.#sql.all<WorkItem>(
      "SELECT controller, key, due FROM work WHERE due <= ? ORDER BY due, controller, key LIMIT ?",
      now,
      limit,
    );
  }

  done(controller: string, key: string): void {
    this.#sql.run("DELETE FROM work WHERE controller = ? AND key = ?", controller, key);
  }

  nextDue(): number | undefined {
    const due = this.#sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? undefined;
    this.#notBefore = due ?? Number.POSITIVE_INFINITY;
    return due;
  }
}
