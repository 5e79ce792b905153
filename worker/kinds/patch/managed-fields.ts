import { timestamp } from "../../lib/effects.ts";
import type { ManagedFieldsEntry } from "../../lib/object.ts";
import { FieldSet } from "./fields/field-set.ts";
import { isFieldsV1 } from "./fields/fields-v1.ts";

/** Updaters of one object at most; the oldest beyond are merged into one entry a version. */
const MAX_UPDATERS = 10;
const ANCIENT = "ancient-changes";

export type Operation = "Apply" | "Update";

/** Who owns fields: one entry of `metadata.managedFields`. */
export type Manager = {
  name: string;
  operation: Operation;
  subresource: string;
  apiVersion: string;
  fields: FieldSet;
  /** RFC 3339; absent for one that only ever took what was already so. */
  time: string | undefined;
};

/** An applier is known by its name and subresource, an updater also by its version. The text also gives their order. */
export function idOf({ name, operation, subresource, apiVersion }: Omit<Manager, "fields" | "time">): string {
  return JSON.stringify({
    ...(name && { manager: name }),
    operation,
    ...(operation === "Update" && apiVersion && { apiVersion }),
    ...(subresource && { subresource }),
  });
}

/** All owners of an object's fields, by `idOf`. */
export type Managers = Map<string, Manager>;

/** Whether entries that a client sent make sense. */
export const areValid = (entries: readonly ManagedFieldsEntry[]): boolean =>
  entries.every(
    ({ operation, apiVersion, fieldsType, fieldsV1 }) =>
      Boolean(apiVersion) &&
      (operation === "Apply" || operation === "Update") &&
      fieldsType === "FieldsV1" &&
      (!fieldsV1 || isFieldsV1(fieldsV1)),
  );

/** Entries that are known to make sense. */
export function decode(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map();
  for (const { manager = "", operation, subresource = "", apiVersion = "", time, fieldsV1 } of entries ?? []) {
    const fields = new FieldSet(fieldsV1);
    const decoded: Manager = {
      name: manager,
      operation: operation as Operation,
      subresource,
      apiVersion,
      fields,
      time,
    };
    managers.set(idOf(decoded), decoded);
  }
  return managers;
}

/** In the order of operation, time, name, version, subresource; undefined when there are none. */
export function encode(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareManagers).map((manager) => ({
    ...(manager.name && { manager: manager.name }),
    operation: manager.operation,
    ...(manager.apiVersion && { apiVersion: manager.apiVersion }),
    ...(manager.time && { time: manager.time }),
    fieldsType: "FieldsV1",
    fieldsV1: manager.fields.toFieldsV1(),
    ...(manager.subresource && { subresource: manager.subresource }),
  }));
}

const secondsOf = ({ time }: Manager): number => (time ? Math.floor(Date.parse(time) / 1000) : 0);
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const compareManagers = (a: Manager, b: Manager): number =>
  byText(a.operation, b.operation) ||
  secondsOf(a) - secondsOf(b) ||
  byText(a.name, b.name) ||
  byText(a.apiVersion, b.apiVersion) ||
  byText(a.subresource, b.subresource);

/** Gives `id` these fields, or takes it out when they are none. In place. */
export function setFields(managers: Managers, id: string, fields: FieldSet): void {
  const manager = managers.get(id);
  if (!manager) return;
  if (fields.isEmpty) managers.delete(id);
  else managers.set(id, { ...manager, fields });
}

/** Marks that a manager changed something at `now` (ms). */
export function touch(managers: Managers, id: string, now: number): void {
  const manager = managers.get(id);
  if (manager) managers.set(id, { ...manager, time: timestamp(now) });
}

/** Merges the oldest updaters of a version into one while there are too many. In place. */
export function capUpdaters(managers: Managers): void {
  const updaters = [...managers]
    .filter(([, { operation }]) => operation === "Update")
    .sort(([idA, a], [idB, b]) => secondsOf(a) - secondsOf(b) || byText(idA, idB));
  let excess = updaters.length - MAX_UPDATERS;
  const oldest = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (excess <= 0) return;
    const ancient: Manager = { ...manager, name: ANCIENT, subresource: "" };
    const bucket = idOf(ancient);
    const first = oldest.get(manager.apiVersion);
    if (first === undefined) {
      oldest.set(manager.apiVersion, id);
      continue;
    }
    // The time is that of the newest in it.
    const other = managers.get(managers.has(bucket) && id !== bucket ? bucket : first);
    managers.delete(id);
    if (other) managers.delete(idOf(other));
    managers.set(bucket, { ...ancient, fields: other ? other.fields.union(manager.fields) : manager.fields });
    excess -= 1;
  }
}
