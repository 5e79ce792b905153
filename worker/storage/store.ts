import type { Key } from "../lib/object.ts";
import type { ListText } from "./list-text.ts";

/**
 * The cluster's memory: objects, a change log and a work queue on a synchronous SQL database.
 *
 * One writer, one thread: a transaction cannot wait, so nothing interleaves and no reader lags a write.
 * Revisions are one cluster-wide counter; every object write takes the next one. Keys order by
 * (resource, namespace, name) in byte order.
 */

/** An object as it is served: `json` includes its `metadata.resourceVersion`. */
export type StoredObject = Key & { uid: string; revision: number; json: string };

/** An object without its body: with the same uid and revision it is the same. */
export type Version = Key & { uid: string; revision: number };

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One write. A DELETED change carries the last body under its new revision. `previous` is the body it replaced. */
export type Change = Key & {
  uid: string;
  revision: number;
  type: ChangeType;
  json: string;
  previous: string | undefined;
};

/** Which keys: a resource, and within it one namespace when `namespace` is given. */
export type Scope = { resource: string; namespace?: string };

export type Page = {
  items: StoredObject[];
  /** The revision at which the page is a consistent snapshot. */
  revision: number;
  /** Pass as `after` to continue; absent on the last page. */
  next?: { namespace: string; name: string };
  /** How many follow this page; absent on the last page. */
  remaining?: number;
};

export type ListOptions = {
  /** Items at most; absent means all. */
  limit?: number;
  after?: { namespace: string; name: string };
  /** A snapshot of the past; absent means now. */
  at?: number;
  /** False leaves `remaining` out, which costs a pass over the rest of the keys. */
  count?: boolean;
};

/** What is there now has not expired. */
export type ListNow = ListOptions & { at?: undefined };

export interface Reader {
  /** The newest revision. Never goes back, also not over restarts. */
  revision(): number;
  /** The newest that no rollback undoes: within a transaction, where it began. */
  settledRevision(): number;
  /** Snapshots and `since` reach back to this revision, inclusive. */
  oldestRevision(): number;
  get(key: Key): StoredObject | undefined;
  list(scope: Scope, options?: ListNow): Page;
  list(scope: Scope, options: ListOptions): Page | "expired";
  /** What `list` finds now, as bytes of text; see `list-text.ts`. */
  listText(scope: Scope, opening: string, options?: Pick<ListOptions, "after" | "limit">): ListText | undefined;
  /** Objects written with this ref, in key order, of one resource when given. */
  byRef(ref: string, resource?: string): StoredObject[];
  /** The same without their bodies, for callers that know most of them already. */
  versionsByRef(ref: string, resource: string): Version[];
  /** Of those after a key, when given. */
  count(scope: Scope, after?: ListOptions["after"]): number;
  /** Resources that have at least one object. */
  resources(): string[];
  /** Changes after `revision`, oldest first, of all scopes given (all resources when absent). */
  since(revision: number, scopes?: readonly Scope[]): Iterable<Change> | "expired";
}

export interface Txn extends Reader {
  /** Takes the next revision; each is used by exactly one put or remove. */
  nextRevision(): number;
  /**
   * Inserts or replaces. `refs` are index terms (`owner=UID`, `node=NAME`) that `byRef` finds; they replace the
   * object's former ones, and are written only where they differ.
   */
  put(object: StoredObject, refs: readonly string[]): void;
  /** Revisions go on from this one, and nothing before it is known any more; it must be above all there were. */
  raise(revision: number): void;
  /** Removes; `object.json` is the last body, with the new revision inside. Returns nothing; absent keys are a bug. */
  remove(object: StoredObject): void;
}

/** A due reconcile: `key` is the controller's own text. */
export type WorkItem = { controller: string; key: string; due: number };

export interface WorkQueue {
  /** Keeps the sooner of an existing and the new due time (ms). */
  enqueue(item: WorkItem): void;
  /** Due items, soonest first. */
  due(now: number, limit: number): WorkItem[];
  done(controller: string, key: string): void;
  /** The soonest due time, or undefined when nothing waits. */
  nextDue(): number | undefined;
}

/** Secrets that callers present, kept only as hashes. */
export type Credential = { hash: string; kind: string; subject: string; expires: number | null };

export interface Credentials {
  add(credential: Credential): void;
  find(hash: string): Credential | undefined;
  remove(hash: string): void;
  /** Those of one subject. */
  of(kind: string, subject: string): Credential[];
  list(kind: string): Credential[];
  all(): Credential[];
}

/** A small named value that is not an API object. */
export type Setting = { name: string; value: string };

/** What is to take the place of everything, while it is gathered. Its writes are seen by no reader. */
export interface Staging {
  clear(): void;
  addObject(object: StoredObject, refs: readonly string[]): void;
  addSetting(setting: Setting): void;
  addCredential(credential: Credential): void;
  /**
   * Puts what was gathered in the place of everything, but for settings and kinds of credentials to keep. `revision` is
   * the newest from then on, above all that there were. The store knows nothing of it: it must be opened anew.
   */
  replaceAll(revision: number, keep: { settings: readonly string[]; credentials: readonly string[] }): void;
}

export interface SealingKeys {
  /** A new key seals from now on; what former ones sealed is left to `rewrite`. */
  rotate(): void;
  /** Ids of the keys in use, the present first, and which of the deployment's secrets each takes. */
  list(): { id: number; secret: "present" | "former" }[];
  /** Not all is sealed with the present key. */
  readonly isRewriting: boolean;
}

/** A stretch of the journal: lines, each with its end. `at`: when it began, ms. */
export type JournalSegment = { id: number; at: number; lines: string };

/** Lines that are kept for a while: bounded, the oldest go first. */
export interface Journal {
  /** Adds lines, each with its end. */
  append(lines: string, now: number): void;
  /** The newest segments first, at most so many; those before one when given. */
  segments(before: number | undefined, limit: number): JournalSegment[];
}

export interface Store extends Reader {
  readonly work: WorkQueue;
  readonly credentials: Credentials;
  readonly staging: Staging;
  readonly journal: Journal;
  /**
   * Runs `body` in one transaction: all of its writes or none. Nested calls join the outer one.
   * A throw rolls back (revisions taken are given back) and is rethrown. A body that returns a promise does not type-check.
   */
  write<T>(body: (txn: Txn) => T extends Promise<unknown> ? never : T): T;
  /** Called after each outermost commit with its changes, in order. Returns a function that ends it. */
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /** Moves the log's horizon towards `keep` newest revisions, at most `budget` rows. True when more remains. */
  compact(keep: number, budget: number): boolean;
  /** The keys that what is stored is sealed with; absent where it is not. */
  readonly keys?: SealingKeys;
  /** Seals with the present key what is not, at most so many rows. True when more remains. */
  rewrite(rows: number): boolean;
  /** Small named values that are not API objects (signing keys, the cluster's id). */
  getSetting(name: string): string | undefined;
  setSetting(name: string, value: string): void;
  removeSetting(name: string): void;
  settings(): Setting[];
}

/** The least that a database must do; both adapters pass `test/contract`. */
export interface Sql {
  /** Runs one statement with at most 100 `?` parameters and returns its rows as objects. */
  all<Row extends Record<string, SqlValue>>(statement: string, ...parameters: SqlParameter[]): Row[];
  /** Runs one statement that returns nothing. */
  run(statement: string, ...parameters: SqlParameter[]): void;
  /** All or nothing; nests. */
  transaction<T>(body: () => T): T;
}

export type SqlValue = string | number | null | ArrayBuffer;
export type SqlParameter = SqlValue | Uint8Array;
