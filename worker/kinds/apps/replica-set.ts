import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { replicatedWarnings } from "../validation/pod-warnings.ts";
import { validateReplicaSet, validateReplicaSetStatus, validateSelectorUpdate } from "../validation/workloads.ts";
import { containersColumn, imagesColumn, REPLICAS, replicaColumns, selectorColumn } from "./workload-columns.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export type ReplicaSet = Schemas["io.k8s.api.apps.v1.ReplicaSet"];
export const ReplicaSet = defineKind({
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  defaults: { "spec.replicas": 1 },
  default: ({ spec }) => defaultPodTemplate(spec?.template),
  validate: validateReplicaSet,
  validateUpdate: ({ spec, status }, old, subresource) =>
    subresource === "status"
      ? validateReplicaSetStatus(status)
      : validateSelectorUpdate(spec?.selector, old.spec?.selector),
  warnings: replicatedWarnings,
  scale: REPLICAS,
  columns: [nameColumn, ...replicaColumns, ageColumn, containersColumn, imagesColumn, selectorColumn],
});
