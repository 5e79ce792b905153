import type { KubeObject, ManagedFieldsEntry } from "../../lib/object.ts";
import type { Schema } from "../schema.ts";
import { type Comparison, compare, isSame, within } from "./fields/compare.ts";
import { emptyObject, rootOf, SYSTEM_FIELDS } from "./fields/root.ts";
import { areValid, capUpdaters, decode, encode, idOf, type Managers, setFields, touch } from "./managed-fields.ts";
import type { Ownable } from "./ownable.ts";

/** What every write tells about itself. */
export type Tracking = {
  schema: Schema;
  /** Version that the write was made in: `apps/v1`. */
  apiVersion: string;
  manager: string;
  /** `status`, `scale`, …; "" for the object itself. */
  subresource: string;
  /** What this endpoint lets anyone change. */
  ownable: Ownable;
  /** ms since the Unix epoch. */
  now: number;
};

/**
 * Who owns the fields of `object` after a write that is no apply: what it set or changed is the writer's, what it
 * removed is no one's. `old` is undefined on a create. Returns `metadata.managedFields`; undefined when there are none.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function trackUpdate(
  tracking: Tracking & { old: KubeObject | undefined; object: KubeObject },
): ManagedFieldsEntry[] | undefined {
  const { schema, old, object, subresource, ownable } = tracking;
  const managers = knownManagers(old, object, subresource);
  // Who had them cleared, by an update, wants none.
  if (old && managers.size === 0) return undefined;
  const root = rootOf(schema);
  const before = old ? withoutManagedFields(old) : emptyObject(root);
  const comparison = within(compare(root, before, withoutManagedFields(object)), ownable);
  if (!isSame(comparison)) take(managers, comparison, tracking);
  // A client may bring entries of nothing.
  if (object.metadata?.managedFields) for (const [id, { fields }] of managers) setFields(managers, id, fields);
  return encode(managers);
}

/** Gives the fields that differ to the writer and takes them from all others. In place. */
export function take(managers: Managers, comparison: Comparison, { manager, apiVersion, subresource, now }: Tracking) {
  const set = comparison.added.union(comparison.modified);
  for (const [id, { fields }] of managers)
    setFields(managers, id, fields.difference(set).difference(comparison.removed));
  const taken = set.difference(SYSTEM_FIELDS);
  if (!taken.isEmpty) {
    const writer = { name: manager || "unknown", operation: "Update" as const, subresource, apiVersion };
    const id = idOf(writer);
    const former = managers.get(id);
    const fields = former ? former.fields.union(taken) : taken;
    managers.set(id, { ...writer, fields, time: former?.time });
    touch(managers, id, now);
  }
  capUpdaters(managers);
}

/** A write may set managedFields itself; one that leaves them out, or writes nonsense, keeps those that are. */
function knownManagers(old: KubeObject | undefined, object: KubeObject, subresource: string): Managers {
  const given = object.metadata?.managedFields;
  if (subresource === "" && given) {
    if (isReset(given)) return new Map();
    if (areValid(given)) return decode(given);
  }
  return decode(old?.metadata?.managedFields);
}

/** `[]` and `[{}]` clear them. */
const isReset = (entries: readonly ManagedFieldsEntry[]): boolean =>
  entries.every((entry) =>
    Object.values(entry).every((value) => value === undefined || value === null || value === ""),
  ) && entries.length <= 1;

export function withoutManagedFields(object: KubeObject): KubeObject {
  if (!object.metadata || !("managedFields" in object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
