import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import { dnsLabelProblems, labelValueProblems, maskTrailingDash, qualifiedNameProblems } from "../../lib/names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "../../lib/object.ts";
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from "../../lib/status.ts";

/** Problems of metadata, in the order and words of apimachinery's ValidateObjectMeta. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

export function* metadataProblems(kind: Kind, object: KubeObject): Iterable<FieldError> {
  const metadata = object.metadata ?? {};
  yield* nameProblems(kind, metadata);
  yield* namespaceProblems(kind, metadata);
  if (metadata.generation !== undefined && metadata.generation < 0)
    yield invalidValue("metadata.generation", metadata.generation, "must be greater than or equal to 0");
  yield* labelProblems(metadata.labels ?? {}, "metadata.labels");
  yield* annotationProblems(metadata.annotations ?? {}, "metadata.annotations");
  yield* ownerProblems(metadata.ownerReferences ?? []);
  yield* finalizerProblems(kind, metadata.finalizers ?? []);
}

function* nameProblems(kind: Kind, { name, generateName }: ObjectMeta): Iterable<FieldError> {
  if (generateName)
    for (const why of kind.nameProblems(maskTrailingDash(generateName)))
      yield invalidValue("metadata.generateName", generateName, why);
  if (!name) yield required("metadata.name", "name or generateName is required");
  else for (const why of kind.nameProblems(name)) yield invalidValue("metadata.name", name, why);
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

function* finalizerProblems(kind: Kind, finalizers: readonly string[]): Iterable<FieldError> {
  const field = "metadata.finalizers";
  for (const finalizer of finalizers)
    for (const why of qualifiedNameProblems(finalizer)) yield invalidValue(field, finalizer, why);
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion"))
    yield invalidValue(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
  // Only the kinds of k8s.io/api are held to this, not definitions nor what they define.
  if (!kind.schema.name?.startsWith("io.k8s.api.")) return;
  for (const [index, finalizer] of finalizers.entries())
    if (!finalizer.includes("/") && !STANDARD_FINALIZERS.has(finalizer))
      yield invalidValue(
        `${field}[${index}]`,
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

/** Problems of a change. kube-apiserver checks this twice, and clients see each cause twice; so does the caller. */
export function* metadataUpdateProblems(object: KubeObject, old: KubeObject): Iterable<FieldError> {
  const metadata = object.metadata ?? {};
  const before = old.metadata ?? {};
  if (before.deletionTimestamp) {
    const known = new Set(before.finalizers);
    const added = [...new Set(metadata.finalizers)].filter((finalizer) => !known.has(finalizer)).sort();
    if (added.length)
      yield forbiddenField(
        "metadata.finalizers",
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
          .map((finalizer) => JSON.stringify(finalizer))
          .join(", ")}}`,
      );
  }
  for (const field of IMMUTABLE)
    if (!same(metadata[field], before[field]))
      yield invalidValue(`metadata.${field}`, metadata[field], "field is immutable");
}
