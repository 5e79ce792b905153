import type { KubeObject } from "../../lib/object.ts";
import { ApiError, badRequest } from "../../lib/status.ts";
import { copy, same } from "../paths.ts";
import type { Schema } from "../schema.ts";
import { type Conflicts, conflictError, conflictsWithout } from "./conflicts.ts";
import { misfits } from "./fields/check.ts";
import { compare, within } from "./fields/compare.ts";
import { fieldsOf, removeFields, withParents } from "./fields/extract.ts";
import { FieldSet } from "./fields/field-set.ts";
import { merge } from "./fields/merge.ts";
import { emptyObject, rootOf, SYSTEM_FIELDS } from "./fields/root.ts";
import { fieldsLastApplied, hasLastApplied, KUBECTL, withLastApplied } from "./last-applied.ts";
import { decode, encode, idOf, type Manager, type Managers, setFields, touch } from "./managed-fields.ts";
import { type Tracking, take, withoutManagedFields } from "./track-update.ts";

/** Owns what was there before anyone was tracked. */
const BEFORE_FIRST_APPLY = "before-first-apply";

export type Application = Tracking & {
  kind: string;
  /** undefined when the apply creates the object. */
  live: KubeObject | undefined;
  /** The body: what the manager wants to be so, and nothing else. Its name has been checked. */
  applied: KubeObject;
  /** Takes fields from others instead of refusing. */
  force: boolean;
};

/**
 * Server-side apply: the object that is to be, with its `metadata.managedFields`; equal to `live` when nothing changes.
 * Neither argument is changed. The caller sets defaults and validates. Throws 400 for a body that cannot be applied,
 * 409 with each field that another manager owns.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function apply(application: Application): KubeObject {
  const { live, applied, apiVersion, kind, manager, now } = application;
  const root = rootOf(application.schema);
  checkBody(application, root);
  const before = live ? withoutManagedFields(live) : { apiVersion, kind, ...copy(emptyObject(root)) };
  const managers = decode(live?.metadata?.managedFields);
  if (managers.size === 0) {
    const comparison = within(compare(root, emptyObject(root), before), application.ownable);
    take(managers, comparison, { ...application, manager: BEFORE_FIRST_APPLY });
  }
  const { id, object } = applyTo(application, root, before, managers);
  const changed = !same(object, before);
  if (changed) touch(managers, id, now);
  setFields(managers, id, (managers.get(id)?.fields ?? new FieldSet()).difference(SYSTEM_FIELDS));
  const kept = manager === KUBECTL && hasLastApplied(object) ? withLastApplied(object, applied) : object;
  const managedFields = encode(managers);
  return { ...kept, metadata: { ...kept.metadata, ...(managedFields && { managedFields }) } };
}

function checkBody({ applied, apiVersion, kind }: Application, root: Schema): void {
  const type = (version: string, name: string) => `${version.includes("/") ? "" : "/"}${version}, Kind=${name}`;
  // What is no text says nothing.
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  if (applied.apiVersion !== apiVersion || applied.kind !== kind)
    throw badRequest(`invalid object type: ${type(text(applied.apiVersion), text(applied.kind))}`);
  const { managedFields, namespace = "", name = "" } = applied.metadata ?? {};
  if (managedFields) throw badRequest("metadata.managedFields must be nil");
  const [problem, ...more] = misfits(root, applied);
  if (problem === undefined) return;
  const said = more.length === 0 ? problem : ["errors:", problem, ...more].join("\n  ");
  // kube-apiserver has no code for it and so calls it its own fault.
  throw new ApiError(
    500,
    "",
    `failed to create typed patch object (${namespace}/${name}; ${type(apiVersion, kind)}): ${said}`,
  );
}

/** The merged object and the applier's id; `managers` is brought up to date. */
function applyTo(application: Application, root: Schema, before: KubeObject, managers: Managers) {
  const { applied, manager: name, subresource, apiVersion, force, ownable } = application;
  const applier = { name, operation: "Apply" as const, subresource, apiVersion };
  const id = idOf(applier);
  const former = managers.get(id);
  const fields = ownable(fieldsOf(root, applied));
  managers.set(id, { ...applier, fields, time: former?.time });
  const merged = merge(root, before, applied) as KubeObject;
  const object = former ? prune(root, merged, managers, former.fields) : merged;

  const { added, modified, removed } = within(compare(root, before, object), ownable);
  const conflicts = findConflicts(managers, id, added.union(modified));
  if (!force) refuse(conflicts, application, root, before);
  for (const [other, manager] of managers) {
    if (other === id) setFields(managers, id, manager.fields);
    else
      setFields(
        managers,
        other,
        manager.fields.difference(conflicts.get(other)?.fields ?? new FieldSet()).difference(removed),
      );
  }
  return { id, object };
}

function findConflicts(managers: Managers, applier: string, changed: FieldSet): Conflicts {
  const found = new Map<string, { manager: Manager; fields: FieldSet }>();
  for (const [id, manager] of managers) {
    const fields = manager.fields.intersection(changed);
    if (id !== applier && !fields.isEmpty) found.set(id, { manager, fields });
  }
  return found;
}

/** kubectl may take over what it set itself by client-side apply. */
function refuse(conflicts: Conflicts, { manager, apiVersion }: Application, root: Schema, before: KubeObject): void {
  if (conflicts.size === 0) return;
  const own = manager === KUBECTL ? fieldsLastApplied(root, before, apiVersion) : undefined;
  const left = own ? conflictsWithout(conflicts, own) : conflicts;
  if (left.size > 0) throw conflictError(left);
}

/** Takes out of `merged` what the applier set last time, does not set now, and no one else owns. */
function prune(root: Schema, merged: KubeObject, managers: Managers, last: FieldSet): KubeObject {
  const all = (object: unknown) => withParents(root, fieldsOf(root, object));
  const everything = all(merged);
  const formerly = withParents(root, last);
  const owned = [...managers.values()].reduce((set, { fields }) => set.union(fields), new FieldSet());
  const bare = removeFields(root, merged, formerly) ?? {};
  const kept = all(bare).union(withParents(root, owned));
  const backed = removeFields(root, merged, everything.difference(kept)) ?? {};
  // What went along without having been the applier's comes back.
  const gone = everything.difference(all(backed)).intersection(formerly);
  return (removeFields(root, merged, gone) ?? {}) as KubeObject;
}
