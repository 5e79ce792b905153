/**
 * Who owns the number that `/scale` shows under another name: kube-apiserver carries `managedFields` over to the scale
 * and back, with all that this brings. https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
 */
import type { ManagedFieldsEntry } from "../../lib/object.ts";
import { field } from "./fields/element.ts";
import { FieldSet } from "./fields/field-set.ts";
import { decode, encode, type Managers } from "./managed-fields.ts";

type Entries = readonly ManagedFieldsEntry[] | undefined;

/** Where a version of the object holds the number, dotted; null where it has no scale, undefined where it is not known. */
export type ReplicasPath = (apiVersion: string) => string | null | undefined;

const SCALE_VERSION = "autoscaling/v1";
const IN_SCALE = ["f:spec", "f:replicas"];
const stepsOf = (path: string) => path.split(".").map(field);

/** The owners of the number, as the scale has them. */
export function scaleManagers(parent: Entries, pathOf: ReplicasPath): ManagedFieldsEntry[] | undefined {
  const owners: Managers = new Map();
  for (const [id, manager] of decode(parent)) {
    const path = pathOf(manager.apiVersion);
    if (path && manager.fields.has(stepsOf(path)))
      owners.set(id, { ...manager, apiVersion: SCALE_VERSION, fields: FieldSet.of(IN_SCALE) });
  }
  return encode(owners);
}

/** The object's owners after its scale was written: who is no owner there loses the number, who became one gets it. */
export function parentManagers(
  parent: Entries,
  scale: Entries,
  pathOf: ReplicasPath,
  apiVersion: string,
): ManagedFieldsEntry[] | undefined {
  const before = decode(parent);
  const owners = decode(scale);
  const after: Managers = new Map();
  for (const [id, manager] of before) {
    const path = pathOf(manager.apiVersion);
    if (path === undefined) continue;
    const steps = path === null ? [] : stepsOf(path);
    if (path === null || !manager.fields.has(steps) || owners.delete(id)) after.set(id, manager);
    else {
      const fields = manager.fields.difference(FieldSet.of(steps));
      if (!fields.isEmpty) after.set(id, { ...manager, fields });
    }
  }
  const path = pathOf(apiVersion);
  for (const [id, manager] of owners) {
    if (!path || !manager.fields.has(IN_SCALE)) continue;
    after.set(id, { ...manager, apiVersion, fields: FieldSet.of(stepsOf(path)), time: before.get(id)?.time });
  }
  return encode(after);
}
