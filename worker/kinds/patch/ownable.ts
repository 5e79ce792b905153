import type { Kind } from "../kind.ts";
import type { Element } from "./fields/element.ts";
import { FieldSet } from "./fields/field-set.ts";
import { fieldsNamed } from "./fields/root.ts";

/** Of some fields those that a write to an endpoint can change, and that its manager so may come to own. */
export type Ownable = (fields: FieldSet) => FieldSet;

/** All but these fields, by their dotted names. */
export function allBut(...names: readonly string[]): Ownable {
  const ignored = fieldsNamed(names);
  return (fields) => fields.recursiveDifference(ignored);
}

/** Only these fields and what is below them; `*` stands for any item. */
function only(...patterns: readonly string[]): Ownable {
  const wanted = patterns.map((pattern) => pattern.split(".").map((step) => (step === "*" ? step : `f:${step}`)));
  const isWanted = (path: readonly Element[]) =>
    wanted.some((steps) => steps.every((step, depth) => step === path[depth] || (step === "*" && path[depth])));
  return (fields) => FieldSet.of(...[...fields.paths()].filter(isWanted));
}

const everything: Ownable = (fields) => fields;
const allButStatus = allBut("status");
const allButSpec = allBut("spec");
const onlyStatus = allBut("spec", "metadata");

const RESIZED = ["containers", "initContainers"].flatMap((list) => [
  `spec.${list}.*.resources`,
  `spec.${list}.*.resizePolicy`,
]);

/** What kube-apiserver's kinds say otherwise than most, by resource and subresource. */
const special: Readonly<Record<string, Ownable>> = {
  "apiservices.apiregistration.k8s.io/status": onlyStatus,
  "customresourcedefinitions.apiextensions.k8s.io/status": onlyStatus,
  "deployments.apps/status": allBut("spec", "metadata.labels"),
  "flowschemas.flowcontrol.apiserver.k8s.io/status": onlyStatus,
  "pods/ephemeralcontainers": only("spec.ephemeralContainers"),
  "pods/resize": only(...RESIZED),
  "pods/status": allBut("spec", "metadata.deletionTimestamp", "metadata.ownerReferences"),
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io/status": onlyStatus,
  "resourceclaims.resource.k8s.io/status": onlyStatus,
  // It names its own group wrongly there.
  "servicecidrs.networking.k8s.io": everything,
  "servicecidrs.networking.k8s.io/status": everything,
  "validatingadmissionpolicies.admissionregistration.k8s.io/status": onlyStatus,
  "volumeattachments.storage.k8s.io/status": onlyStatus,
};

/** A status is written through its own subresource, and that one mostly writes little else. */
export function ownable(kind: Kind, subresource: string): Ownable {
  if (kind.resetFields) return allBut(...kind.resetFields(subresource));
  const found = special[subresource ? `${kind.groupResource}/${subresource}` : kind.groupResource];
  if (found) return found;
  if (subresource === "status") return allButSpec;
  return kind.subresources.some(({ name }) => name === "status") ? allButStatus : everything;
}
