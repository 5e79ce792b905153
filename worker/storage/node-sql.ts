import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Sql, SqlParameter, SqlValue } from "./store.ts";

export type NodeSql = Sql & { close(): void; serialize(): Uint8Array };

/** SQLite of Node.js, for tests and simulations. `path` is a file, or `:memory:`; `image` is what another serialized. */
export function nodeSql(path: string, image?: Uint8Array): NodeSql {
  const database = new DatabaseSync(path);
  if (image) database.deserialize(image);
  database.exec("PRAGMA journal_mode = WAL");
  const statements = new Map<string, StatementSync>();
  let depth = 0;

  function prepare(text: string): StatementSync {
    let statement = statements.get(text);
    if (!statement) {
      statement = database.prepare(text);
      statements.set(text, statement);
    }
    return statement;
  }

  function transaction<T>(body: () => T): T {
    const name = `level_${depth}`;
    prepare(`SAVEPOINT ${name}`).run();
    depth += 1;
    try {
      const result = body();
      prepare(`RELEASE ${name}`).run();
      return result;
    } catch (error) {
      prepare(`ROLLBACK TO ${name}`).run();
      prepare(`RELEASE ${name}`).run();
      throw error;
    } finally {
      depth -= 1;
    }
  }

  return {
    all: <Row extends Record<string, SqlValue>>(text: string, ...parameters: SqlParameter[]) =>
      prepare(text).all(...(parameters as SQLInputValue[])) as Row[],
    run: (text, ...parameters) => {
      prepare(text).run(...(parameters as SQLInputValue[]));
    },
    transaction,
    close: () => database.close(),
    serialize: () => database.serialize(),
  };
}
