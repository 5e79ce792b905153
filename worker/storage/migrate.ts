import { MIGRATIONS, type Migration } from "../../migrations/index.ts";
import type { Sql } from "./store.ts";

/**
 * Brings the tables to the newest shape: each migration once, in order, whole or not at all. Where nothing is to be done
 * nothing is written, so that a cluster whose storage is full, or whose day is used up, can still be read.
 */
export function migrate(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): void {
  const [table] = sql.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'migrations'");
  if (!table) sql.run("CREATE TABLE migrations (tag text PRIMARY KEY NOT NULL)");
  const applied = new Set(sql.all<{ tag: string }>("SELECT tag FROM migrations").map(({ tag }) => tag));
  for (const { tag, statements } of migrations) {
    if (applied.has(tag)) continue;
    sql.transaction(() => {
      for (const statement of statements) sql.run(statement);
      sql.run("INSERT INTO migrations (tag) VALUES (?)", tag);
    });
  }
}
