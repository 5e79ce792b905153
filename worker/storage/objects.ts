import type { Key } from "../lib/object.ts";
import type { Raw, Sealing, Stored } from "./encryption/sealing.ts";
import { range } from "./range.ts";
import { RecentRows, type Row } from "./recent-rows.ts";
import type { ListOptions, Scope, Sql, SqlValue, StoredObject, Version } from "./store.ts";

/** SQLite's word for "no limit". */
const ALL = -1;
const COLUMNS = "o.resource, o.namespace, o.name, o.uid, o.revision, o.json";
const KEY = "o.resource = ? AND o.namespace = ? AND o.name = ?";
const ORDER = "ORDER BY o.resource, o.namespace, o.name";

/** The objects as they are now, and the refs that find them. */
export class Objects {
  readonly #sql: Sql;
  readonly #sealing: Sealing;
  readonly #recent = new RecentRows();
  /** Statements that changed objects, so far. */
  writes = 0;

  constructor(sql: Sql, sealing: Sealing) {
    this.#sql = sql;
    this.#sealing = sealing;
  }

  get(key: Key): StoredObject | undefined {
    return this.getForWrite(key)?.object;
  }

  /** With what `update` and `remove` need to know of the row they replace. */
  getForWrite(key: Key): Row | undefined {
    return this.#recent.get(key, () => {
      const statement = `SELECT ${COLUMNS}, o.refs FROM objects o WHERE ${KEY}`;
      const [row] = this.#read<StoredObject & { refs: string }>(statement, ...keyOf(key));
      if (!row) return undefined;
      const { refs, ...object } = row;
      return { object, refs: JSON.parse(refs) as string[] };
    });
  }

  /** A transaction that wrote objects was rolled back. */
  rolledBack(): void {
    this.#recent.forget();
  }

  /** In key order; those that changed after revision `at` are left out. */
  list(scope: Scope, after: ListOptions["after"], limit = ALL, at?: number): StoredObject[] {
    if (after === undefined && limit === ALL && at === undefined)
      return this.#recent.list(scope, () => this.#list(scope, after, limit, at));
    return this.#list(scope, after, limit, at);
  }

  #list(scope: Scope, after: ListOptions["after"], limit: number, at: number | undefined): StoredObject[] {
    const { where, parameters } = range(scope, after, "o");
    if (at !== undefined) parameters.push(at);
    const unchanged = at === undefined ? "" : "AND o.revision <= ?";
    return this.#read<StoredObject>(
      `SELECT ${COLUMNS} FROM objects o WHERE ${where} ${unchanged} ${ORDER} LIMIT ?`,
      ...parameters,
      limit,
    );
  }

  count(scope: Scope, after?: ListOptions["after"]): number {
    const { where, parameters } = range(scope, after, "o");
    const rows = this.#sql.all<{ count: number }>(
      `SELECT COUNT(*) AS count FROM objects o WHERE ${where}`,
      ...parameters,
    );
    return rows[0]?.count ?? 0;
  }

  byRef(ref: string, resource?: string): StoredObject[] {
    return this.#read<StoredObject>(
      `SELECT ${COLUMNS} FROM refs r CROSS JOIN objects o
       ON o.resource = r.resource AND o.namespace = r.namespace AND o.name = r.name
       WHERE r.ref = ? ${resource === undefined ? "" : "AND r.resource = ?"} ORDER BY r.resource, r.namespace, r.name`,
      ref,
      ...(resource === undefined ? [] : [resource]),
    );
  }

  versionsByRef(ref: string, resource: string): Version[] {
    return this.#sql.all<Version>(
      `SELECT o.resource, o.namespace, o.name, o.uid, o.revision FROM refs r CROSS JOIN objects o
       ON o.resource = r.resource AND o.namespace = r.namespace AND o.name = r.name
       WHERE r.ref = ? AND r.resource = ? ORDER BY r.resource, r.namespace, r.name`,
      ref,
      resource,
    );
  }

  /** Hops from one resource's first key to the next, so that its cost is their number and not that of objects. */
  resources(): string[] {
    const rows = this.#sql.all<{ resource: string }>(
      `WITH RECURSIVE hop(resource) AS (
         SELECT MIN(resource) FROM objects
         UNION ALL
         SELECT (SELECT MIN(o.resource) FROM objects o WHERE o.resource > hop.resource) FROM hop
         WHERE hop.resource IS NOT NULL
       ) SELECT resource FROM hop WHERE resource IS NOT NULL`,
    );
    return rows.map(({ resource }) => resource);
  }

  #read<Row extends StoredObject>(statement: string, ...parameters: SqlValue[]): Row[] {
    return this.#sealing.open<Row>(this.#sql.all<Raw<Row> & Record<string, SqlValue>>(statement, ...parameters));
  }

  /** `text`: the object's as it is stored. */
  insert(object: StoredObject, text: Stored, refs: readonly string[]): void {
    const terms = unique(refs);
    this.writes += 1;
    this.#sql.run(
      "INSERT INTO objects (resource, namespace, name, uid, revision, refs, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...keyOf(object),
      object.uid,
      object.revision,
      JSON.stringify(terms),
      text,
    );
    this.#recent.wrote(object, { object: { ...object }, refs: terms });
    this.#moveRefs(object, [], terms);
  }

  update(old: Row, object: StoredObject, text: Stored, refs: readonly string[]): void {
    const terms = unique(refs);
    this.writes += 1;
    this.#sql.run(
      "UPDATE objects SET revision = ?, refs = ?, json = ? WHERE resource = ? AND namespace = ? AND name = ?",
      object.revision,
      JSON.stringify(terms),
      text,
      ...keyOf(object),
    );
    this.#recent.wrote(object, { object: { ...object }, refs: terms });
    this.#moveRefs(object, old.refs, terms);
  }

  remove({ object, refs }: Row): void {
    this.writes += 1;
    this.#sql.run("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", ...keyOf(object));
    this.#recent.wrote(object, undefined);
    this.#moveRefs(object, refs, []);
  }

  #moveRefs(key: Key, from: readonly string[], to: readonly string[]): void {
    for (const ref of from) {
      if (to.includes(ref)) continue;
      this.#sql.run(
        "DELETE FROM refs WHERE ref = ? AND resource = ? AND namespace = ? AND name = ?",
        ref,
        ...keyOf(key),
      );
    }
    for (const ref of to) {
      if (from.includes(ref)) continue;
      this.#sql.run("INSERT INTO refs (ref, resource, namespace, name) VALUES (?, ?, ?, ?)", ref, ...keyOf(key));
    }
  }
}

const keyOf = (key: Key): [string, string, string] => [key.resource, key.namespace, key.name];
const unique = (refs: readonly string[]): string[] => [...new Set(refs)];
