import type { ChangeLog } from "./change-log.ts";
import type { Objects } from "./objects.ts";
import type { ListOptions, Page, Scope, StoredObject } from "./store.ts";

/** A page of a scope as it was at `revision`, which the caller has found to be within the log. */
export function readPage(objects: Objects, log: ChangeLog, scope: Scope, options: ListOptions, revision: number): Page {
  const { after, limit, count = true } = options;
  const past = revision < log.newest;
  // One more than asked for tells whether more follow.
  const fetched = limit === undefined ? undefined : limit + 1;
  const found = past ? readPast(objects, log, scope, after, fetched, revision) : objects.list(scope, after, fetched);
  if (limit === undefined || found.length <= limit) return { items: found, revision };
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next = last ? { namespace: last.namespace, name: last.name } : after;
  if (!count) return { items, revision, next };
  const grown = past ? log.growthSince(revision, scope, next) : 0;
  return { items, revision, next, remaining: objects.count(scope, next) - grown };
}

/** Merges the objects that have not changed since with the former bodies of those that have; both come in key order. */
function readPast(
  objects: Objects,
  log: ChangeLog,
  scope: Scope,
  after: ListOptions["after"],
  limit: number | undefined,
  revision: number,
): StoredObject[] {
  const unchanged = objects.list(scope, after, limit, revision);
  const replaced = log.replacedAfter(revision, scope, after, limit);
  const items: StoredObject[] = [];
  let i = 0;
  for (const version of replaced) {
    for (let object = unchanged[i]; object && compareKeys(object, version) < 0; object = unchanged[i]) {
      items.push(object);
      i += 1;
    }
    if (limit !== undefined && items.length >= limit) break;
    items.push(log.body(version.previous));
  }
  for (; i < unchanged.length; i++) items.push(unchanged[i] as StoredObject);
  return limit === undefined ? items : items.slice(0, limit);
}

type Name = { namespace: string; name: string };

/** Order of SQLite's index. Kubernetes' names are ASCII, where code units and bytes order alike. */
function compareKeys(a: Name, b: Name): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return 0;
}
