import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import { byteLength } from "../../lib/bytes.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../lib/object.ts";
import { ApiError } from "../../lib/status.ts";
import type { StoredObject, Txn } from "../../storage/store.ts";
import { isFresh, toStored } from "./conversions.ts";
import { dropEmptyLists } from "./empty-lists.ts";
import { refsOf } from "./refs.ts";
import { keyOf, serialize, served, shape, withRevision } from "./stored.ts";

/** An object at most, as etcd limits it; a row of a Durable Object holds 2 MB. */
const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024;
/** What a character takes at most in UTF-8. */
const MAX_CHARACTER_BYTES = 3;

const isTooLarge = (json: string): boolean =>
  json.length * MAX_CHARACTER_BYTES > MAX_OBJECT_BYTES && byteLength(json) > MAX_OBJECT_BYTES;

function put(txn: Txn, kind: Kind, object: KubeObject, revision: number): string {
  const written = toStored(kind, object);
  const json = serialize({ kind: kind.kind, apiVersion: written.apiVersion }, written.object, revision);
  if (isTooLarge(json)) throw new ApiError(413, "RequestEntityTooLarge", "etcdserver: request is too large");
  const key = keyOf(kind, object.metadata?.namespace ?? "", object.metadata?.name ?? "");
  txn.put({ ...key, uid: object.metadata?.uid ?? "", revision, json }, refsOf(key.resource, written.object));
  return json;
}

/** Writes a new object and returns its text; a dry run only returns it. */
export function insert(txn: Txn, kind: Kind, object: KubeObject, dryRun: boolean): string {
  dropEmptyLists(kind, object);
  return dryRun ? serialize(kind, object, 0) : put(txn, kind, object, txn.nextRevision());
}

/** Writes the object over `stored`, unless nothing changes, nor the version that its kind is stored in. */
export function replace(
  txn: Txn,
  kind: Kind,
  object: KubeObject,
  old: KubeObject,
  stored: StoredObject,
  dryRun: boolean,
): string {
  dropEmptyLists(kind, object);
  if (liesIn(kind, stored) && isUnchanged(kind, object, old, stored.revision)) return stored.json;
  return dryRun ? serialize(kind, object, stored.revision) : put(txn, kind, object, txn.nextRevision());
}

/** What is written again after its definition chose another version to store moves to that one, though nothing else does. */
const liesIn = ({ conversion }: Kind, { json }: StoredObject): boolean =>
  !conversion || json.startsWith(`{"apiVersion":${JSON.stringify(conversion.storedAs)},`);

/** Equal but for the times of managedFields: such a write must neither move the revision nor wake watchers. */
function isUnchanged(kind: Kind, object: KubeObject, old: KubeObject, revision: number): boolean {
  const after = shape(kind, object, revision);
  if (!same(withoutManagers(after), withoutManagers(old))) return false;
  return same(timeless(after.metadata?.managedFields), timeless(old.metadata?.managedFields));
}

const withoutManagers = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, managedFields: undefined },
});

const timeless = (entries: readonly ManagedFieldsEntry[] | undefined) =>
  entries?.map((entry) => ({ ...entry, time: undefined }));

/** Removes a stored object; the DELETED change carries its last body under a new revision. */
export function removeStored(txn: Txn, kind: Kind, stored: StoredObject): string {
  const revision = txn.nextRevision();
  // Under its new revision it must be as the schema has it now.
  const isStale = kind.schemaRevision !== undefined && !isFresh(kind, stored.revision);
  const json = withRevision(isStale ? served(kind, stored.json) : stored.json, revision);
  txn.remove({ ...stored, revision, json });
  return json;
}
