import type { Kind } from "../../kinds/kind.ts";
import { goJson } from "../../lib/go-json.ts";
import type { Key, KubeObject } from "../../lib/object.ts";
import type { Subject } from "../../lib/status.ts";
import { fromStored, isFresh, storageResource } from "./conversions.ts";

/**
 * How objects lie in storage: text that starts with apiVersion and kind in this order, so that serving needs no parse.
 */
const openings = new WeakMap<Kind, string>();

/** `{"apiVersion":"v1","kind":"Pod",`: how the text of every object of this kind begins. */
export function opening(kind: Kind): string {
  let text = openings.get(kind);
  if (text === undefined) {
    text = `{"apiVersion":${JSON.stringify(kind.apiVersion)},"kind":${JSON.stringify(kind.kind)},`;
    openings.set(kind, text);
  }
  return text;
}

/** True for kinds of the official documents; custom resources keep apiVersion and kind on the items of lists. */
export const isBuiltIn = (kind: Kind): boolean =>
  kind.schema.name !== undefined && /^io\.k8s\.(api|apiextensions-apiserver|kube-aggregator)\./.test(kind.schema.name);

/** The text under the version that was asked for, whichever version wrote it. */
export function served(kind: Kind, json: string): string {
  return json.startsWith(opening(kind)) && (!kind.refresh || isFresh(kind, revisionIn(json)))
    ? json
    : servedObject(kind, JSON.parse(json) as KubeObject);
}

/** The same of a stored object that has been parsed. */
export const servedObject = (kind: Kind, object: KubeObject): string =>
  serialize(kind, fromStored(kind, object), Number(object.metadata?.resourceVersion ?? 0));

/** The item of a list: without apiVersion and kind where the list itself names them. */
export const asItem = (kind: Kind, json: string): string =>
  isBuiltIn(kind) ? `{${served(kind, json).slice(opening(kind).length)}` : served(kind, json);

export const keyOf = (kind: Kind, namespace: string, name: string): Key => ({
  resource: storageResource(kind),
  namespace: kind.namespaced ? namespace : "",
  name,
});

export const subjectOf = (kind: Kind, name = ""): Subject => ({ group: kind.group, resource: kind.resource, name });

const META_ORDER = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const;

/** metadata comes first and keeps resourceVersion before anything that users fill freely, so the first hit is it. */
const REVISION = /"resourceVersion":"(\d+)"/;

export const withRevision = (json: string, revision: number): string =>
  json.replace(REVISION, `"resourceVersion":"${revision}"`);

const revisionIn = (json: string): number => Number(REVISION.exec(json)?.[1] ?? 0);

type Named = Pick<Kind, "apiVersion" | "kind">;
type Shaped = KubeObject & { status?: unknown };

/** The object in the order in which it is stored; `revision` 0 leaves resourceVersion out, as answers to dry runs do. */
export function shape(kind: Named, object: KubeObject, revision: number): Shaped {
  const metadata: Record<string, unknown> = {};
  const given = { ...object.metadata, resourceVersion: revision === 0 ? undefined : String(revision) };
  for (const field of META_ORDER) if (!isEmpty(given[field])) metadata[field] = given[field];
  const { apiVersion: _, kind: __, metadata: ___, status, ...rest } = object as Shaped;
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata,
    ...rest,
    ...(status !== undefined && { status }),
  };
}

export const serialize = (kind: Named, object: KubeObject, revision: number): string =>
  goJson(shape(kind, object, revision));

/** Empty metadata is left out, but for a grace period of 0 seconds, which means something. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
