import { dnsLabelProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { AppsV1StatefulSetSpec, AppsV1StatefulSetUpdateStrategy, Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, notNegative, type Problems } from "../validation/fields.ts";
import { templateWarnings } from "../validation/pod-warnings.ts";
import { claimWarnings } from "../validation/volume-warnings.ts";
import { validateSelectedTemplate, validateSelector } from "../validation/workloads.ts";
import { containersColumn, imagesColumn, REPLICAS } from "./workload-columns.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
export type StatefulSet = Schemas["io.k8s.api.apps.v1.StatefulSet"];
export const StatefulSet = defineKind({
  schema: "io.k8s.api.apps.v1.StatefulSet",
  defaults: {
    "spec.replicas": 1,
    "spec.revisionHistoryLimit": 10,
    "spec.podManagementPolicy": "OrderedReady",
    "spec.persistentVolumeClaimRetentionPolicy": {},
    "spec.persistentVolumeClaimRetentionPolicy.whenDeleted": "Retain",
    "spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Retain",
    "spec.updateStrategy": {},
    "spec.updateStrategy.type": "RollingUpdate",
  },
  default({ spec }) {
    if (!spec) return;
    defaultPodTemplate(spec.template);
    if (spec.updateStrategy?.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
      if (claim.spec) claim.spec.volumeMode ??= "Filesystem";
      claim.status ??= {};
      claim.status.phase ??= "Pending";
    }
  },
  prepareForCreate(set) {
    set.status = { availableReplicas: 0, replicas: 0 };
  },
  validate: ({ spec }) => validateSpec(spec),
  *validateCreate({ spec }) {
    if (spec?.serviceName) yield* invalidFor("spec.serviceName", spec.serviceName, dnsLabelProblems(spec.serviceName));
  },
  *validateUpdate({ spec }, { spec: old }, subresource) {
    if (subresource === "" && !same(lasting(spec), lasting(old))) yield forbiddenField("spec", MAY_CHANGE);
  },
  *warnings(set, old, subresource) {
    if (subresource) return;
    yield* templateWarnings(set, old);
    for (const [index, claim] of (set.spec?.volumeClaimTemplates ?? []).entries())
      yield* claimWarnings(claim.spec, `spec.volumeClaimTemplates[${index}]${old ? ".Spec" : ""}`);
    if ((set.spec?.revisionHistoryLimit ?? 0) < 0)
      yield "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended";
  },
  scale: REPLICAS,
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    ageColumn,
    containersColumn,
    imagesColumn,
  ],
});

const MAY_CHANGE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** The part of a spec that never changes. */
function lasting(spec: AppsV1StatefulSetSpec | undefined): unknown {
  if (!spec) return undefined;
  const {
    replicas: _replicas,
    ordinals: _ordinals,
    template: _template,
    updateStrategy: _strategy,
    revisionHistoryLimit: _limit,
    persistentVolumeClaimRetentionPolicy: _policy,
    minReadySeconds: _seconds,
    ...rest
  } = spec;
  return rest;
}

const CLAIM_POLICIES = ["Retain", "Delete"];

function* validateSpec(spec: AppsV1StatefulSetSpec | undefined): Problems {
  const policy = spec?.podManagementPolicy;
  if (policy !== "OrderedReady" && policy !== "Parallel")
    yield invalidValue("spec.podManagementPolicy", policy ?? "", "must be 'OrderedReady' or 'Parallel'");
  yield* validateStrategy(spec?.updateStrategy ?? {});
  for (const name of ["whenDeleted", "whenScaled"] as const) {
    const kept = spec?.persistentVolumeClaimRetentionPolicy?.[name];
    if (kept !== undefined && !CLAIM_POLICIES.includes(kept))
      yield notSupported(`spec.persistentVolumeClaimRetentionPolicy.${name}`, kept, CLAIM_POLICIES);
  }
  yield* notNegative("spec.replicas", spec?.replicas);
  yield* notNegative("spec.minReadySeconds", spec?.minReadySeconds);
  yield* notNegative("spec.ordinals.start", spec?.ordinals?.start);
  yield* validateSelector(spec?.selector, "statefulset");
  yield* validateSelectedTemplate(spec?.template, spec?.selector, "StatefulSet");
}

function* validateStrategy({ type, rollingUpdate }: AppsV1StatefulSetUpdateStrategy): Problems {
  const at = "spec.updateStrategy";
  if (type === "RollingUpdate") yield* notNegative(`${at}.rollingUpdate.partition`, rollingUpdate?.partition);
  else if (type !== "OnDelete")
    yield invalidValue(at, { Type: type ?? "", RollingUpdate: null }, "must be 'RollingUpdate' or 'OnDelete'");
  else if (rollingUpdate)
    yield invalidValue(`${at}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'");
}
