/**
 * Seals anew what lies there in the clear or under a former key: some rows at a time, in turns that are there anyway or
 * are made for it. Where it was interrupted it begins again, and passes over what is done.
 */
import type { Settings } from "../settings.ts";
import type { Sql, SqlParameter, StoredObject } from "../store.ts";
import type { DataKeys } from "./data-keys.ts";
import { headerOf, type Raw, type Sealing } from "./sealing.ts";

/** Of the log so many rows are looked through at once, of which mostly few are to be written. */
const LOOKED_THROUGH = 2000;
const COLUMNS = "resource, namespace, name, uid, revision, json";

type Row = Raw<StoredObject>;
type Position =
  | { table: "objects"; resource: number; namespace: string; name: string }
  | { table: "changes"; revision: number };

const START: Position = { table: "objects", resource: 0, namespace: "", name: "" };

export class Rewriter {
  readonly #sql: Sql;
  readonly #keys: DataKeys;
  readonly #sealing: Sealing;
  readonly #settings: Settings;
  #position = START;
  #key = 0;

  constructor(sql: Sql, keys: DataKeys, sealing: Sealing, settings: Settings) {
    this.#sql = sql;
    this.#keys = keys;
    this.#sealing = sealing;
    this.#settings = settings;
  }

  /** Writes at most so many rows; true when more remain. */
  run(rows: number): boolean {
    if (!this.#keys.isRewriting || this.#isStaging()) return false;
    if (this.#key !== this.#keys.current.id) this.#position = START;
    this.#key = this.#keys.current.id;
    return this.#sql.transaction(() => {
      const at = this.#position;
      const next = at.table === "objects" ? this.#objects(at, rows) : this.#changes(at, rows);
      this.#position = next ?? START;
      if (next) return true;
      this.#settings.sealAnew();
      this.#keys.rewritten();
      return false;
    });
  }

  /** What is gathered to take the place of everything is sealed with the key of its time, which has to stay until then. */
  #isStaging(): boolean {
    return this.#sql.all("SELECT 1 AS one FROM staged LIMIT 1").length > 0;
  }

  #objects({ resource, namespace, name }: Extract<Position, { table: "objects" }>, limit: number): Position {
    const wanted = this.#keys.resources[resource];
    if (wanted === undefined) return { table: "changes", revision: 0 };
    const rows = this.#outdated("objects", "resource = ? AND (namespace, name) > (?, ?)", "namespace, name", limit, [
      wanted,
      namespace,
      name,
    ]);
    for (const row of rows) this.#write("objects", "resource = ? AND namespace = ? AND name = ?", keyOf(row), row);
    const last = rows.length < limit ? undefined : rows.at(-1);
    return last
      ? { table: "objects", resource, namespace: last.namespace, name: last.name }
      : { table: "objects", resource: resource + 1, namespace: "", name: "" };
  }

  #changes({ revision }: Extract<Position, { table: "changes" }>, limit: number): Position | undefined {
    const [last] = this.#sql.all<{ end: number | null }>(
      "SELECT MAX(revision) AS end FROM (SELECT revision FROM changes WHERE revision > ? ORDER BY revision LIMIT ?)",
      revision,
      LOOKED_THROUGH,
    );
    const end = last?.end ?? undefined;
    if (end === undefined) return undefined;
    const where = "revision > ? AND revision <= ? AND resource IN (SELECT value FROM json_each(?))";
    const parameters = [revision, end, JSON.stringify(this.#keys.resources)];
    const rows = this.#outdated("changes", where, "revision", limit, parameters);
    for (const row of rows) this.#write("changes", "revision = ?", [row.revision], row);
    return { table: "changes", revision: rows.length < limit ? end : (rows.at(-1)?.revision ?? end) };
  }

  #outdated(table: string, where: string, order: string, limit: number, parameters: SqlParameter[]): Row[] {
    const header = headerOf(this.#key);
    return this.#sql.all<Row>(
      `SELECT ${COLUMNS} FROM ${table} WHERE ${where} AND (typeof(json) = 'text' OR substr(json, 1, ?) <> ?)
       ORDER BY ${order} LIMIT ?`,
      ...parameters,
      header.length,
      header,
      limit,
    );
  }

  #write(table: string, where: string, key: SqlParameter[], row: Row): void {
    // SQLite writes what is as long in place. Else the old text would stay in the file, in what that has given up.
    if (typeof row.json === "string")
      this.#sql.run(`UPDATE ${table} SET json = zeroblob(length(CAST(json AS BLOB))) WHERE ${where}`, ...key);
    const [object] = this.#sealing.open<StoredObject>([row]);
    if (object) this.#sql.run(`UPDATE ${table} SET json = ? WHERE ${where}`, this.#sealing.seal(object), ...key);
  }
}

const keyOf = ({ resource, namespace, name }: Row): SqlParameter[] => [resource, namespace, name];
