import type { Sql } from "./store.ts";

/** Small named values that are not API objects. */
export class Settings {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(name: string): string | undefined {
    return this.#sql.all<{ value: string }>("SELECT value FROM settings WHERE name = ?", name)[0]?.value;
  }

  set(name: string, value: string): void {
    this.#sql.run(
      "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }
}
