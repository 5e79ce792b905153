import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import {
  dnsLabelProblems,
  labelValueProblems,
  maskTrailingDash,
  pathSegmentProblems,
  qualifiedNameProblems,
} from "../../lib/names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "../../lib/object.ts";
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from "../../lib/status.ts";

/** Problems of metadata, in the order and words of apimachinery's ValidateObjectMeta. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** What is wrong with a name. */
type NameProblems = Kind["nameProblems"];

/** Of a whole object: the kind's own names, or as all kinds have them. */
export function* metadataProblems(
  kind: Kind,
  { metadata = {} }: KubeObject,
  nameProblemsOf: NameProblems = pathSegmentProblems,
): Iterable<FieldError> {
  yield* nameProblems(nameProblemsOf, metadata);
  yield* namespaceProblems(kind, metadata);
  if (metadata.generation !== undefined && metadata.generation < 0)
    yield invalidValue("metadata.generation", metadata.generation, "must be greater than or equal to 0");
  yield* freelySetProblems(metadata);
  yield* finalizerProblems(metadata.finalizers ?? []);
}

function* freelySetProblems({ labels = {}, annotations = {}, ownerReferences = [] }: ObjectMeta): Iterable<FieldError> {
  yield* labelProblems(labels, "metadata.labels");
  yield* annotationProblems(annotations, "metadata.annotations");
  yield* ownerProblems(ownerReferences);
}

function* nameProblems(problems: NameProblems, { name, generateName }: ObjectMeta): Iterable<FieldError> {
  if (generateName)
    for (const why of problems(maskTrailingDash(generateName)))
      yield invalidValue("metadata.generateName", generateName, why);
  if (!name) yield required("metadata.name", "name or generateName is required");
  else for (const why of problems(name)) yield invalidValue("metadata.name", name, why);
}

function* namespaceProblems(kind: Kind, { namespace }: ObjectMeta): Iterable<FieldError> {
  if (kind.namespaced && !namespace) yield required("metadata.namespace");
  else if (kind.namespaced)
    for (const why of dnsLabelProblems(namespace ?? "")) yield invalidValue("metadata.namespace", namespace, why);
  else if (namespace) yield forbiddenField("metadata.namespace", "not allowed on this type");
}

export function* labelProblems(labels: Record<string, string>, field: string): Iterable<FieldError> {
  for (const [key, value] of Object.entries(labels)) {
    for (const why of qualifiedNameProblems(key)) yield invalidValue(field, key, why);
    for (const why of labelValueProblems(value)) yield invalidValue(field, value, why);
  }
}

function* annotationProblems(annotations: Record<string, string>, field: string): Iterable<FieldError> {
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + value.length;
    for (const why of qualifiedNameProblems(key.toLowerCase())) yield invalidValue(field, key, why);
  }
  if (size > MAX_ANNOTATIONS_BYTES) yield tooLong(field, MAX_ANNOTATIONS_BYTES);
}

function* ownerProblems(owners: readonly OwnerReference[]): Iterable<FieldError> {
  const field = "metadata.ownerReferences";
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    if (!owner.apiVersion)
      yield invalidValue(`${field}.apiVersion`, owner.apiVersion ?? "", "version must not be empty");
    for (const name of ["kind", "name", "uid"] as const)
      if (!owner[name]) yield invalidValue(`${field}.${name}`, "", "must not be empty");
    if (owner.kind === "Event" && owner.apiVersion === "v1")
      yield invalidValue(field, owner, "v1, Kind=Event is disallowed from being an owner");
    if (!owner.controller) continue;
    if (controller) {
      const both = `${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`;
      yield invalidValue(
        field,
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${both}`,
      );
    } else controller = owner;
  }
}

function* finalizerProblems(finalizers: readonly string[]): Iterable<FieldError> {
  const field = "metadata.finalizers";
  for (const finalizer of finalizers)
    for (const why of qualifiedNameProblems(finalizer)) yield invalidValue(field, finalizer, why);
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion"))
    yield invalidValue(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
}

/** Most built-in kinds also hold a finalizer to one of the known names, or to a domain of its own. */
export function* unqualifiedFinalizers({ metadata = {} }: KubeObject): Iterable<FieldError> {
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries())
    if (!finalizer.includes("/") && !STANDARD_FINALIZERS.has(finalizer))
      yield invalidValue(
        `metadata.finalizers[${index}]`,
        finalizer,
        "name is neither a standard finalizer name nor is it fully qualified",
      );
}

const IMMUTABLE = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** Problems of a change. */
export function* metadataUpdateProblems(object: KubeObject, old: KubeObject): Iterable<FieldError> {
  const metadata = object.metadata ?? {};
  const before = old.metadata ?? {};
  if (before.deletionTimestamp) yield* addedFinalizers(metadata, before);
  for (const field of IMMUTABLE)
    if (!same(metadata[field], before[field]))
      yield invalidValue(`metadata.${field}`, metadata[field] ?? zeroOf(field), "field is immutable");
  yield* freelySetProblems(metadata);
}

const zeroOf = (field: (typeof IMMUTABLE)[number]) => (/deletion|Timestamp/.test(field) ? undefined : "");

function* addedFinalizers({ finalizers }: ObjectMeta, before: ObjectMeta): Iterable<FieldError> {
  const known = new Set(before.finalizers);
  const added = [...new Set(finalizers)].filter((finalizer) => !known.has(finalizer)).sort();
  if (added.length)
    yield forbiddenField(
      "metadata.finalizers",
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
        .map((finalizer) => JSON.stringify(finalizer))
        .join(", ")}}`,
    );
}
