import { longNameProblems } from "../../lib/names.ts";
import { required } from "../../lib/status.ts";
import { containersColumn, imagesColumn, pairs, REPLICAS, replicaColumns } from "../apps/workload-columns.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { notNegative } from "../validation/fields.ts";
import { validatePodTemplate } from "../validation/pod-spec.ts";
import { replicatedWarnings } from "../validation/pod-warnings.ts";
import { selectsOthers, validateLasting, validateReplicaSetStatus } from "../validation/workloads.ts";
import { defaultPodTemplate } from "./pod-defaults.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/ */
export type ReplicationController = Schemas["io.k8s.api.core.v1.ReplicationController"];
export const ReplicationController = defineKind({
  schema: "io.k8s.api.core.v1.ReplicationController",
  nameProblems: longNameProblems,
  defaults: { "spec.replicas": 1 },
  default({ metadata, spec }) {
    if (!spec) return;
    defaultPodTemplate(spec.template);
    const labels = spec.template?.metadata?.labels;
    if (!labels) return;
    if (!Object.keys(spec.selector ?? {}).length) spec.selector = { ...labels };
    if (metadata && !Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels };
  },
  *validate({ spec }) {
    yield* notNegative("spec.minReadySeconds", spec?.minReadySeconds);
    if (!Object.keys(spec?.selector ?? {}).length) yield required("spec.selector");
    yield* notNegative("spec.replicas", spec?.replicas);
    if (!spec?.template) yield required("spec.template");
    else {
      const labels = spec.template.metadata?.labels;
      if (Object.entries(spec.selector ?? {}).some(([key, value]) => labels?.[key] !== value))
        yield selectsOthers(spec.template);
      yield* validatePodTemplate(spec.template, "spec.template");
      yield* validateLasting(spec.template, "ReplicationController");
    }
  },
  validateUpdate: ({ status }, _, subresource) => (subresource === "status" ? validateReplicaSetStatus(status) : []),
  warnings: replicatedWarnings,
  scale: REPLICAS,
  columns: [
    nameColumn,
    ...replicaColumns,
    ageColumn,
    containersColumn,
    imagesColumn,
    { name: "Selector", type: "string", priority: 1, value: ({ spec }) => pairs(spec?.selector) },
  ],
});
