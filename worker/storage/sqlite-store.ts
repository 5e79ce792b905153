import type { Key } from "../lib/object.ts";
import { ChangeLog } from "./change-log.ts";
import { SqlCredentials } from "./credentials.ts";
import type { DataKeys, Encryption } from "./encryption/data-keys.ts";
import { openSealing } from "./encryption/open.ts";
import { Rewriter } from "./encryption/rewriter.ts";
import type { Sealing, Stored } from "./encryption/sealing.ts";
import { SqlJournal } from "./journal.ts";
import { type ListText, listText } from "./list-text.ts";
import { migrate } from "./migrate.ts";
import { Objects } from "./objects.ts";
import { Settings } from "./settings.ts";
import { readPage } from "./snapshot.ts";
import { SqlStaging } from "./staging.ts";
import type {
  Change,
  ListNow,
  ListOptions,
  Page,
  Scope,
  Setting,
  Sql,
  Store,
  StoredObject,
  Txn,
  Version,
} from "./store.ts";
import { SqlWorkQueue } from "./work-queue.ts";

type Listener = (changes: readonly Change[]) => void;

/**
 * A cluster's memory in one SQL database, brought to its newest shape. Keeps nothing in memory but counters. Without
 * `encryption` all is stored in the clear. Throws a 503 where what is stored takes a secret that is not given.
 */
export function openStore(sql: Sql, encryption?: Encryption): Store {
  migrate(sql);
  return new SqliteStore(sql, encryption);
}

class SqliteStore implements Store, Txn {
  readonly work: SqlWorkQueue;
  readonly credentials: SqlCredentials;
  readonly staging: SqlStaging;
  readonly journal: SqlJournal;
  readonly keys: DataKeys | undefined;
  readonly #sql: Sql;
  readonly #sealing: Sealing;
  readonly #rewriter: Rewriter | undefined;
  readonly #settings: Settings;
  readonly #objects: Objects;
  readonly #log: ChangeLog;
  readonly #listeners = new Set<Listener>();
  #depth = 0;
  /** The newest revision when the outermost transaction began. */
  #settled = 0;
  /** The newest revision that was taken; at most a few ahead of the newest written. */
  #taken: number;
  #written: Change[] = [];
  #undelivered: Change[][] = [];
  #delivering = false;

  constructor(sql: Sql, encryption: Encryption | undefined) {
    this.#sql = sql;
    const { keys, sealing } = openSealing(sql, encryption);
    this.keys = keys;
    this.#sealing = sealing;
    this.#settings = new Settings(sql, this.#sealing);
    this.#rewriter = this.keys && new Rewriter(sql, this.keys, this.#sealing, this.#settings);
    this.#objects = new Objects(sql, this.#sealing);
    this.#log = new ChangeLog(sql, this.#settings, this.#sealing);
    this.#taken = this.#log.newest;
    this.work = new SqlWorkQueue(sql);
    this.credentials = new SqlCredentials(sql);
    this.journal = new SqlJournal(sql);
    this.staging = new SqlStaging(sql, this.#sealing);
  }

  revision(): number {
    return this.#log.newest;
  }

  settledRevision(): number {
    return this.#depth === 0 ? this.#log.newest : this.#settled;
  }

  oldestRevision(): number {
    return this.#log.horizon;
  }

  get(key: Key): StoredObject | undefined {
    return this.#objects.get(key);
  }

  list(scope: Scope, options?: ListNow): Page;
  list(scope: Scope, options: ListOptions): Page | "expired";
  list(scope: Scope, options: ListOptions = {}): Page | "expired" {
    const at = Math.min(options.at ?? this.#log.newest, this.#log.newest);
    if (at < this.#log.horizon) return "expired";
    return readPage(this.#objects, this.#log, scope, options, at);
  }

  listText(scope: Scope, opening: string, options: Pick<ListOptions, "after" | "limit"> = {}): ListText | undefined {
    return this.#sealing.seals(scope.resource) ? undefined : listText(this.#sql, scope, opening, options);
  }

  byRef(ref: string, resource?: string): StoredObject[] {
    return this.#objects.byRef(ref, resource);
  }

  versionsByRef(ref: string, resource: string): Version[] {
    return this.#objects.versionsByRef(ref, resource);
  }

  count(scope: Scope, after?: ListOptions["after"]): number {
    return this.#objects.count(scope, after);
  }

  resources(): string[] {
    return this.#objects.resources();
  }

  since(revision: number, scopes?: readonly Scope[]): Iterable<Change> | "expired" {
    return revision < this.#log.horizon ? "expired" : this.#log.since(revision, scopes);
  }

  write<T>(body: (txn: Txn) => T extends Promise<unknown> ? never : T): T {
    const revision = this.#log.newest;
    if (this.#depth === 0) this.#settled = revision;
    const taken = this.#taken;
    const written = this.#written.length;
    const { writes } = this.#objects;
    this.#depth += 1;
    let result: T;
    try {
      result = this.#sql.transaction(() => body(this));
    } catch (error) {
      if (this.#objects.writes !== writes) this.#objects.rolledBack();
      this.#log.rollBackTo(revision);
      this.#taken = taken;
      this.#written.length = written;
      throw error;
    } finally {
      this.#depth -= 1;
    }
    if (this.#depth === 0) this.#committed();
    return result;
  }

  nextRevision(): number {
    this.#assertWriting();
    this.#taken += 1;
    return this.#taken;
  }

  put(object: StoredObject, refs: readonly string[]): void {
    this.#assertTaken(object);
    const row = this.#objects.getForWrite(object);
    const old = row?.object;
    if (old && old.uid !== object.uid) throw new Error(`${describe(object)} is replaced by an object of another uid`);
    const text = this.#sealing.seal(object);
    if (row && old) {
      this.#log.keepReplaced(old);
      this.#objects.update(row, object, text, refs);
    } else this.#objects.insert(object, text, refs);
    this.#append(old ? "MODIFIED" : "ADDED", object, text, old);
  }

  remove(object: StoredObject): void {
    this.#assertTaken(object);
    const row = this.#objects.getForWrite(object);
    if (!row) throw new Error(`${describe(object)} is removed but does not exist`);
    this.#log.keepReplaced(row.object);
    this.#objects.remove(row);
    this.#append("DELETED", object, this.#sealing.seal(object), row.object);
  }

  raise(revision: number): void {
    this.#assertWriting();
    this.#log.forgetUpTo(revision);
    this.#taken = revision;
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  compact(keep: number, budget: number): boolean {
    if (this.#depth > 0) throw new Error("compact within a write");
    return this.#log.compact(this.#log.newest - keep, budget);
  }

  rewrite(rows: number): boolean {
    return this.#rewriter?.run(rows) ?? false;
  }

  getSetting(name: string): string | undefined {
    return this.#settings.get(name);
  }

  setSetting(name: string, value: string): void {
    this.#settings.set(name, value);
  }

  removeSetting(name: string): void {
    this.#settings.remove(name);
  }

  settings(): Setting[] {
    return this.#settings.all();
  }

  #append(type: Change["type"], object: StoredObject, text: Stored, old: StoredObject | undefined): void {
    const { resource, namespace, name, uid, revision, json } = object;
    const change = { resource, namespace, name, uid, revision, type, json, previous: old?.json };
    this.#log.append(change, text, old?.revision);
    this.#written.push(change);
  }

  /** Listeners may write: what they write is delivered to all after what they are being told. */
  #committed(): void {
    this.#taken = this.#log.newest; // taken and not used: given back
    if (this.#written.length > 0) this.#undelivered.push(this.#written);
    this.#written = [];
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let changes = this.#undelivered.shift(); changes; changes = this.#undelivered.shift()) {
        for (const listener of [...this.#listeners]) listener(changes);
      }
    } finally {
      this.#delivering = false;
    }
  }

  #assertWriting(): void {
    if (this.#depth === 0) throw new Error("a write outside a transaction");
  }

  #assertTaken(object: StoredObject): void {
    this.#assertWriting();
    if (object.revision > this.#taken) throw new Error(`${describe(object)} is written at a revision not taken`);
  }
}

const describe = (key: Key) => `${key.resource} ${key.namespace}/${key.name}`;
