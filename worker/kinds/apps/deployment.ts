import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { replicatedWarnings } from "../validation/pod-warnings.ts";
import { validateDeployment, validateDeploymentStatus, validateSelectorUpdate } from "../validation/workloads.ts";
import { containersColumn, imagesColumn, REPLICAS, selectorColumn } from "./workload-columns.ts";

/** Replica sets get a copy of them. */
const annotations = ({ metadata }: Deployment) => metadata.annotations ?? {};

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ */
export type Deployment = Schemas["io.k8s.api.apps.v1.Deployment"];
export const Deployment = defineKind({
  schema: "io.k8s.api.apps.v1.Deployment",
  defaults: {
    "spec.replicas": 1,
    "spec.revisionHistoryLimit": 10,
    "spec.progressDeadlineSeconds": 600,
    "spec.strategy": {},
    "spec.strategy.type": "RollingUpdate",
  },
  default({ spec }) {
    if (!spec) return;
    defaultPodTemplate(spec.template);
    const strategy = spec.strategy;
    if (strategy?.type !== "RollingUpdate") return;
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= "25%";
    strategy.rollingUpdate.maxSurge ??= "25%";
  },
  validate: validateDeployment,
  changesGeneration: (now, old) => !same(now.spec, old.spec) || !same(annotations(now), annotations(old)),
  validateUpdate: ({ spec, status }, old, subresource) =>
    subresource === "status"
      ? validateDeploymentStatus(status, old.status)
      : validateSelectorUpdate(spec?.selector, old.spec?.selector),
  warnings: replicatedWarnings,
  scale: REPLICAS,
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    { name: "Up-to-date", type: "string", value: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: "Available", type: "string", value: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
});
