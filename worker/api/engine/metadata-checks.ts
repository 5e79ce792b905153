/**
 * kube-apiserver checks metadata for all kinds, and most kinds check it again, some twice; clients see each cause as
 * often. Here is which kind does what.
 */
import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { FieldError } from "../../lib/status.ts";
import { isBuiltIn } from "./stored.ts";
import { metadataProblems, metadataUpdateProblems, unqualifiedFinalizers } from "./validate-metadata.ts";

type Checks = {
  /** What the kind looks at when an object changes: what changes, or all of it. */
  update: readonly ("change" | "all")[];
  /** Whether it looks at a new object's metadata. */
  create: boolean;
  /** Whether it does so in the words of k8s.io/kubernetes, which are stricter about finalizers. */
  strict: boolean;
};

const usual: Checks = { update: ["change", "all"], create: true, strict: true };
const onlyChange: Checks = { ...usual, update: ["change"] };
const allFirst: Checks = { ...usual, update: ["all", "change"] };
const onlyAll: Checks = { ...usual, update: ["all"] };
const nothing: Checks = { update: [], create: false, strict: false };
const lax = (checks: Checks): Checks => ({ ...checks, strict: false });

const checksOf: Readonly<Record<string, Checks>> = {
  "apiservices.apiregistration.k8s.io": lax(usual),
  "clusterrolebindings.rbac.authorization.k8s.io": allFirst,
  "clusterroles.rbac.authorization.k8s.io": allFirst,
  "cronjobs.batch": onlyChange,
  "csidrivers.storage.k8s.io": onlyChange,
  "csistoragecapacities.storage.k8s.io": allFirst,
  "csinodes.storage.k8s.io": { ...usual, update: ["all", "all"] },
  "customresourcedefinitions.apiextensions.k8s.io": lax(onlyChange),
  "daemonsets.apps": onlyChange,
  "deployments.apps": onlyChange,
  "deviceclasses.resource.k8s.io": allFirst,
  "endpointslices.discovery.k8s.io": onlyAll,
  events: nothing,
  "events.events.k8s.io": onlyChange,
  "flowschemas.flowcontrol.apiserver.k8s.io": onlyAll,
  "horizontalpodautoscalers.autoscaling": onlyChange,
  "ipaddresses.networking.k8s.io": allFirst,
  "jobs.batch": allFirst,
  "leases.coordination.k8s.io": lax(onlyChange),
  limitranges: onlyAll,
  namespaces: allFirst,
  "networkpolicies.networking.k8s.io": allFirst,
  nodes: allFirst,
  "mutatingadmissionpolicies.admissionregistration.k8s.io": lax(onlyAll),
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": lax(onlyAll),
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": lax(onlyAll),
  persistentvolumes: { ...usual, update: ["all", "all"] },
  "poddisruptionbudgets.policy": nothing,
  podtemplates: onlyChange,
  "priorityclasses.scheduling.k8s.io": onlyChange,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": onlyAll,
  "replicasets.apps": onlyChange,
  replicationcontrollers: onlyChange,
  "resourceclaims.resource.k8s.io": allFirst,
  "resourceclaimtemplates.resource.k8s.io": allFirst,
  resourcequotas: onlyChange,
  "resourceslices.resource.k8s.io": onlyChange,
  "rolebindings.rbac.authorization.k8s.io": allFirst,
  "roles.rbac.authorization.k8s.io": allFirst,
  "runtimeclasses.node.k8s.io": lax(usual),
  "servicecidrs.networking.k8s.io": onlyChange,
  services: onlyChange,
  "statefulsets.apps": onlyChange,
  "storageclasses.storage.k8s.io": allFirst,
  "validatingadmissionpolicies.admissionregistration.k8s.io": lax(onlyAll),
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": lax(onlyAll),
  "validatingwebhookconfigurations.admissionregistration.k8s.io": lax(onlyAll),
  "volumeattachments.storage.k8s.io": onlyAll,
};

/** Writes to these through `/status` are looked at as others are. */
const asWhole = new Set(["certificatesigningrequests.certificates.k8s.io"]);

function checksFor(kind: Kind, subresource: string): Checks {
  if (!isBuiltIn(kind)) return lax(onlyChange);
  const checks = checksOf[kind.groupResource] ?? usual;
  if (subresource !== "status" || asWhole.has(kind.groupResource)) return checks;
  return kind.groupResource === "cronjobs.batch" || checks === nothing ? nothing : { ...checks, update: ["change"] };
}

/** What a kind itself says of a new object's metadata. */
export function* createProblems(kind: Kind, object: KubeObject): Iterable<FieldError> {
  const { create, strict } = checksFor(kind, "");
  if (!create) return;
  yield* metadataProblems(kind, object, kind.nameProblems);
  if (strict) yield* unqualifiedFinalizers(object);
}

/** What is said of changed metadata: by all kinds, and by this one. */
export function* updateProblems(
  kind: Kind,
  object: KubeObject,
  old: KubeObject,
  subresource: string,
): Iterable<FieldError> {
  const common = [...metadataProblems(kind, object), ...metadataUpdateProblems(object, old)];
  yield* common;
  const isGood = common.length === 0 && object.metadata?.generateName === old.metadata?.generateName;
  const { update, strict } = checksFor(kind, subresource);
  for (const check of update) {
    // What all kinds find nothing in, the kind finds nothing in either: only its finalizers are held to more.
    if (!isGood)
      yield* check === "all" ? metadataProblems(kind, object, kind.nameProblems) : metadataUpdateProblems(object, old);
    if (strict) yield* unqualifiedFinalizers(object);
  }
}
