import type { DurableObjectStorage } from "@cloudflare/workers-types";
import type { Sql, SqlParameter, SqlValue } from "./store.ts";

/** The platform keeps prepared statements by their text. `used` hears how many rows each statement read and wrote. */
export function durableSql(
  storage: Pick<DurableObjectStorage, "sql" | "transactionSync">,
  used?: (read: number, written: number) => void,
): Sql {
  return {
    all<Row extends Record<string, SqlValue>>(statement: string, ...parameters: SqlParameter[]) {
      const cursor = storage.sql.exec<Row>(statement, ...parameters);
      const rows = cursor.toArray();
      used?.(cursor.rowsRead, cursor.rowsWritten);
      return rows;
    },
    run(statement, ...parameters) {
      const cursor = storage.sql.exec(statement, ...parameters);
      used?.(cursor.rowsRead, cursor.rowsWritten);
    },
    transaction: (body) => storage.transactionSync(body),
  };
}
