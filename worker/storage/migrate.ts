import { MIGRATIONS, type Migration } from "../../migrations/index.ts";
import type { Sql } from "./store.ts";

/** Brings the tables to the newest shape: each migration once, in order, whole or not at all. */
export function migrate(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): void {
  sql.run("CREATE TABLE IF NOT EXISTS migrations (tag text PRIMARY KEY NOT NULL)");
  const applied = new Set(sql.all<{ tag: string }>("SELECT tag FROM migrations").map(({ tag }) => tag));
  for (const { tag, statements } of migrations) {
    if (applied.has(tag)) continue;
    sql.transaction(() => {
      for (const statement of statements) sql.run(statement);
      sql.run("INSERT INTO migrations (tag) VALUES (?)", tag);
    });
  }
}
