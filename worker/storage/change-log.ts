import type { Key } from "../lib/object.ts";
import type { Raw, Sealing, Stored } from "./encryption/sealing.ts";
import { range } from "./range.ts";
import type { Settings } from "./settings.ts";
import type { Change, ListOptions, Scope, Sql, StoredObject } from "./store.ts";

/** Rows read at once by `since`: bodies are up to 2 MB, mostly 2 kB. */
const BATCH = 100;
const HORIZON = "log.horizon";

type Version = { namespace: string; name: string; previous: number };

/**
 * The bodies that objects have had since the horizon H.
 *
 * It holds every change after H *and the body that each of them replaced*. Rows at or under H are only such replaced
 * bodies: one goes when the change that replaced it falls under H. A row without a successor goes at once, since the
 * body is in `objects`; `keepReplaced` brings it back when the object changes after all. So the state at any revision
 * R ≥ H is known: objects not changed after R, and of the others the body that their first change after R replaced.
 */
export class ChangeLog {
  readonly #sql: Sql;
  readonly #settings: Settings;
  readonly #sealing: Sealing;
  #horizon: number;
  #newest: number;

  constructor(sql: Sql, settings: Settings, sealing: Sealing) {
    this.#sql = sql;
    this.#sealing = sealing;
    this.#settings = settings;
    this.#horizon = Number(settings.get(HORIZON) ?? 0);
    const rows = sql.all<{ newest: number | null }>("SELECT MAX(revision) AS newest FROM changes");
    // All rows may be compacted away; the horizon then remembers the newest revision.
    this.#newest = Math.max(rows[0]?.newest ?? 0, this.#horizon);
  }

  get newest(): number {
    return this.#newest;
  }

  get horizon(): number {
    return this.#horizon;
  }

  /** A transaction that began at this revision was rolled back. */
  rollBackTo(revision: number): void {
    this.#newest = revision;
    if (this.#horizon > revision) this.#horizon = Number(this.#settings.get(HORIZON) ?? 0);
  }

  /** Nothing up to this revision is known any more, and none has been given that is newer. */
  forgetUpTo(revision: number): void {
    if (revision <= this.#newest) throw new Error(`revision ${revision} is not above ${this.#newest}`);
    this.#sql.run("DELETE FROM changes");
    this.#settings.set(HORIZON, String(revision));
    this.#horizon = revision;
    this.#newest = revision;
  }

  /** `text`: the change's as it is stored. */
  append(change: Change, text: Stored, previous: number | undefined): void {
    if (change.revision <= this.#newest)
      throw new Error(`revision ${change.revision} is written twice or out of order`);
    this.#insert(change, text, change.type, previous);
    this.#newest = change.revision;
  }

  /** To be called before `old` is replaced or removed: makes sure that the log has its body. */
  keepReplaced(old: StoredObject): void {
    if (old.revision <= this.#horizon) this.#insert(old, this.#sealing.seal(old), "ADDED", undefined);
  }

  #insert(object: StoredObject, text: Stored, type: Change["type"], previous: number | undefined): void {
    this.#sql.run(
      `INSERT INTO changes (revision, resource, namespace, name, uid, type, previous, json)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      object.revision,
      object.resource,
      object.namespace,
      object.name,
      object.uid,
      type,
      previous ?? null,
      text,
    );
  }

  /** Changes after `revision` up to now, read in batches as they are taken. The caller has checked the horizon. */
  *since(revision: number, scopes: readonly Scope[] | undefined): Generator<Change> {
    const end = this.#newest;
    const filter = scopes ? scopesCondition(scopes) : { where: "TRUE", parameters: [] };
    let position = revision;
    while (position < end) {
      if (position < this.#horizon) throw new Error("the change log was compacted while it was read");
      const rows = this.#sql.all<ChangeRow>(
        `SELECT c.revision, c.resource, c.namespace, c.name, c.uid, c.type, c.json, c.previous AS replaced,
           p.json AS previous
         FROM changes c LEFT JOIN changes p ON p.revision = c.previous
         WHERE c.revision > ? AND c.revision <= ? AND ${filter.where} ORDER BY c.revision LIMIT ${BATCH}`,
        position,
        end,
        ...filter.parameters,
      );
      for (const row of rows) yield this.#opened(row);
      position = rows.length < BATCH ? end : (rows.at(-1)?.revision ?? end);
    }
  }

  #opened({ replaced, previous, ...row }: ChangeRow): Change {
    const [change] = this.#sealing.open<Omit<Change, "previous">>([row]);
    if (previous === null || replaced === null)
      return { ...(change as typeof row & { json: string }), previous: undefined };
    const [former] = this.#sealing.open<StoredObject>([{ ...row, revision: replaced, json: previous }]);
    return { ...(change as typeof row & { json: string }), previous: former?.json };
  }

  /** Keys of objects that existed at revision `at` and changed since, in key order, with the revision of their body then. */
  replacedAfter(at: number, scope: Scope, after: ListOptions["after"], limit = -1): Version[] {
    const { where, parameters } = range(scope, after, "c");
    return this.#sql.all<Version>(
      `SELECT c.namespace, c.name, c.previous FROM changes c
       WHERE c.revision > ? AND c.previous <= ? AND ${where} ORDER BY c.namespace, c.name LIMIT ?`,
      at,
      at,
      ...parameters,
      limit,
    );
  }

  body(revision: number): StoredObject {
    const [row] = this.#sealing.open<StoredObject>(
      this.#sql.all<Raw<StoredObject>>(
        "SELECT resource, namespace, name, uid, revision, json FROM changes WHERE revision = ?",
        revision,
      ),
    );
    if (!row) throw new Error(`the change log lacks revision ${revision}`);
    return row;
  }

  /** By how many objects a scope has grown since revision `at`. */
  growthSince(at: number, scope: Scope, after: ListOptions["after"]): number {
    const { where, parameters } = range(scope, after, "c");
    const rows = this.#sql.all<{ growth: number | null }>(
      `SELECT SUM((c.type = 'ADDED') - (c.type = 'DELETED')) AS growth FROM changes c WHERE c.revision > ? AND ${where}`,
      at,
      ...parameters,
    );
    return rows[0]?.growth ?? 0;
  }

  /** Moves the horizon towards `target`, over at most `budget` changes. True when it did not get there. */
  compact(target: number, budget: number): boolean {
    if (target <= this.#horizon) return false;
    this.#horizon = this.#sql.transaction(() => this.#compact(target, budget));
    return this.#horizon < target;
  }

  /** Returns the new horizon. */
  #compact(target: number, budget: number): number {
    const rows = this.#sql.all<CompactedRow>(
      `SELECT c.revision, c.type, c.previous, c.resource, c.namespace, c.name FROM changes c
       WHERE c.revision > ? AND c.revision <= ? ORDER BY c.revision LIMIT ?`,
      this.#horizon,
      target,
      budget,
    );
    for (const row of rows) {
      if (row.previous !== null) this.#delete(row.previous);
      if (row.type === "DELETED" || this.#isCurrent(row)) this.#delete(row.revision);
    }
    const reached = rows.length < budget ? target : (rows.at(-1)?.revision ?? target);
    this.#settings.set(HORIZON, String(reached));
    return reached;
  }

  #isCurrent(row: CompactedRow): boolean {
    const statement = "SELECT revision FROM objects WHERE resource = ? AND namespace = ? AND name = ?";
    const current = this.#sql.all<{ revision: number }>(statement, row.resource, row.namespace, row.name)[0];
    return current?.revision === row.revision;
  }

  #delete(revision: number): void {
    this.#sql.run("DELETE FROM changes WHERE revision = ?", revision);
  }
}

type ChangeRow = Raw<Omit<Change, "previous">> & { replaced: number | null; previous: string | ArrayBuffer | null };
type CompactedRow = Key & { revision: number; type: string; previous: number | null };

/** Lists as one JSON parameter each, since a statement takes at most 100. */
function scopesCondition(scopes: readonly Scope[]): { where: string; parameters: string[] } {
  const whole = scopes.filter((scope) => scope.namespace === undefined).map(({ resource }) => resource);
  const parts = scopes.filter((scope) => scope.namespace !== undefined).map((s) => `${s.resource}/${s.namespace}`);
  return {
    where: `(c.resource IN (SELECT value FROM json_each(?))
            OR c.resource || '/' || c.namespace IN (SELECT value FROM json_each(?)))`,
    parameters: [JSON.stringify(whole), JSON.stringify(parts)],
  };
}
