/**
 * The tables. drizzle-kit compares this file with `migrations/` and writes the next migration (`npm run migrations`).
 * Text compares as bytes of UTF-8, which is the order of keys.
 */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Objects as they are now. Keyed by an index of its own, so that counting does not pass over the bodies. */
export const objects = sqliteTable(
  "objects",
  {
    resource: text().notNull(),
    namespace: text().notNull(),
    name: text().notNull(),
    uid: text().notNull(),
    revision: integer().notNull(),
    /** JSON array of this object's refs, so that a write knows which rows of `refs` differ. */
    refs: text().notNull(),
    json: text().notNull(),
  },
  (table) => [uniqueIndex("objects_key").on(table.resource, table.namespace, table.name)],
);

/** Index terms: `owner=UID`, `node=NAME`. Stored WITHOUT ROWID: one row written a term. */
export const refs = sqliteTable(
  "refs",
  {
    ref: text().notNull(),
    resource: text().notNull(),
    namespace: text().notNull(),
    name: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.ref, table.resource, table.namespace, table.name] })],
);

/** Bodies that objects have had since the log's horizon; see `change-log.ts`. */
export const changes = sqliteTable("changes", {
  revision: integer().primaryKey(),
  resource: text().notNull(),
  namespace: text().notNull(),
  name: text().notNull(),
  uid: text().notNull(),
  type: text().notNull(),
  /** Revision of the body that this one replaced; null when there was none. */
  previous: integer(),
  /** The last column, so that a scan over the others need not read it. */
  json: text().notNull(),
});

/** Reconciles that are due, in ms since the Unix epoch. Stored WITHOUT ROWID. */
export const work = sqliteTable(
  "work",
  { controller: text().notNull(), key: text().notNull(), due: integer().notNull() },
  (table) => [primaryKey({ columns: [table.controller, table.key] }), index("work_due").on(table.due)],
);

/** Hashes of secrets that callers present. */
export const credentials = sqliteTable(
  "credentials",
  {
    hash: text().primaryKey(),
    kind: text().notNull(),
    subject: text().notNull(),
    /** ms since the Unix epoch. */
    expires: integer(),
  },
  (table) => [index("credentials_kind").on(table.kind, table.subject)],
);

/** Small named values that are not API objects. */
export const settings = sqliteTable("settings", { name: text().primaryKey(), value: text().notNull() });

/** Lines that are kept for a while; see `journal.ts`. */
export const journal = sqliteTable("journal", {
  id: integer().primaryKey(),
  /** When it began, in ms since the Unix epoch. */
  at: integer().notNull(),
  /** The last column, so that a look at the others need not read it. */
  lines: text().notNull(),
});

/** What is to take the place of everything; see `staging.ts`. Settings and credentials are rows of resources with a slash. */
export const staged = sqliteTable("staged", {
  resource: text().notNull(),
  namespace: text().notNull(),
  name: text().notNull(),
  uid: text().notNull(),
  revision: integer().notNull(),
  refs: text().notNull(),
  json: text().notNull(),
});
