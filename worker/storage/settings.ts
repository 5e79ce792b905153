import { KEYS_SETTING } from "./encryption/data-keys.ts";
import type { Sealing } from "./encryption/sealing.ts";
import type { Setting, Sql } from "./store.ts";

/** Small named values that are not API objects; some are sealed. */
export class Settings {
  readonly #sql: Sql;
  readonly #sealing: Sealing;

  constructor(sql: Sql, sealing: Sealing) {
    this.#sql = sql;
    this.#sealing = sealing;
  }

  get(name: string): string | undefined {
    const [row] = this.#sql.all<{ value: string | ArrayBuffer }>("SELECT value FROM settings WHERE name = ?", name);
    return row && this.#sealing.openSetting(name, row.value);
  }

  set(name: string, value: string): void {
    this.#sql.run(
      "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      this.#sealing.sealSetting(name, value),
    );
  }

  /** Seals with the present key what is to be sealed, over what lay there. */
  sealAnew(): void {
    for (const name of this.#sealing.settings) {
      const value = this.get(name);
      if (value === undefined) continue;
      this.#sql.run("UPDATE settings SET value = zeroblob(length(CAST(value AS BLOB))) WHERE name = ?", name);
      this.set(name, value);
    }
  }

  remove(name: string): void {
    this.#sql.run("DELETE FROM settings WHERE name = ?", name);
  }

  /** But for the keys that seal here. */
  all(): Setting[] {
    const rows = this.#sql.all<{ name: string; value: string | ArrayBuffer }>(
      "SELECT name, value FROM settings ORDER BY name",
    );
    return rows
      .filter(({ name }) => name !== KEYS_SETTING)
      .map(({ name, value }) => ({ name, value: this.#sealing.openSetting(name, value) }));
  }
}
