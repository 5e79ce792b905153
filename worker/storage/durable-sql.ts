import type { DurableObjectStorage } from "@cloudflare/workers-types";
import type { Sql, SqlParameter, SqlValue } from "./store.ts";

/** A Durable Object's own SQLite. The platform keeps prepared statements by their text. */
export function durableSql(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">): Sql {
  return {
    all: <Row extends Record<string, SqlValue>>(statement: string, ...parameters: SqlParameter[]) =>
      storage.sql.exec<Row>(statement, ...parameters).toArray(),
    run: (statement, ...parameters) => {
      storage.sql.exec(statement, ...parameters);
    },
    transaction: (body) => storage.transactionSync(body),
  };
}
