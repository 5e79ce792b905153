import type { Sql, WorkItem, WorkQueue } from "./store.ts";

export class SqlWorkQueue implements WorkQueue {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  enqueue({ controller, key, due }: WorkItem): void {
    this.#sql.run(
      `INSERT INTO work (controller, key, due) VALUES (?, ?, ?)
       ON CONFLICT (controller, key) DO UPDATE SET due = excluded.due WHERE excluded.due < work.due`,
      controller,
      key,
      due,
    );
  }

  due(now: number, limit: number): WorkItem[] {
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
    return this.#sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? undefined;
  }
}
