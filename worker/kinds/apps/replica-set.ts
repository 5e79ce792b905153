import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { nameWarnings, podSpecWarnings } from "../validation/pod-warnings.ts";
import { validateReplicaSet } from "../validation/workloads.ts";
import { containersColumn, imagesColumn, selectorColumn } from "./workload-columns.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export type ReplicaSet = Schemas["io.k8s.api.apps.v1.ReplicaSet"];
export const ReplicaSet = defineKind({
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  immutable: ["spec.selector"],
  defaults: { "spec.replicas": 1 },
  default: ({ spec }) => defaultPodTemplate(spec?.template),
  validate: validateReplicaSet,
  *warnings({ metadata, spec }, old) {
    if (!old) yield* nameWarnings(metadata?.name, "Pod names and hostnames");
    yield* podSpecWarnings(spec?.template?.spec, "spec.template.spec");
  },
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", value: ({ spec }) => spec?.replicas ?? 0 },
    { name: "Current", type: "integer", value: ({ status }) => status?.replicas ?? 0 },
    { name: "Ready", type: "integer", value: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
});
