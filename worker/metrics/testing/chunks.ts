/** A cluster's figures in memory, for tests. */
import { migrate } from "../../storage/migrate.ts";
import { nodeSql } from "../../storage/node-sql.ts";
import { Chunks } from "../chunks.ts";
import { METRICS_MIGRATIONS } from "../tables.ts";

/** On a whole hour, and at the beginning of four days. */
export const START = 5_000 * 4 * 86_400_000;

export function chunksInMemory() {
  const sql = nodeSql(":memory:");
  migrate(sql, METRICS_MIGRATIONS);
  const clock = { now: START };
  return { sql, clock, chunks: new Chunks({ sql, now: () => clock.now }) };
}
