/** A registry's facts in memory, for tests. */
import { migrate } from "../../storage/migrate.ts";
import { nodeSql } from "../../storage/node-sql.ts";
import { Facts } from "../facts.ts";
import { Quotas } from "../quotas.ts";
import { REGISTRY_MIGRATIONS } from "../tables.ts";

/** Uploads are `upload-1`, `upload-2` and so on. */
export function factsInMemory(now: () => number) {
  let uploads = 0;
  const sql = nodeSql(":memory:");
  migrate(sql, REGISTRY_MIGRATIONS);
  const quotas = new Quotas(sql);
  return { sql, quotas, facts: new Facts({ sql, now, uid: () => `upload-${++uploads}`, quotas }) };
}

export const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
