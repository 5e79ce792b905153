import { dnsLabelProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { AppsV1StatefulSetSpec, AppsV1StatefulSetUpdateStrategy, Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { validateClaim } from "../validation/claims.ts";
import { invalidFor, notNegative, type Problems } from "../validation/fields.ts";
import { goValue } from "../validation/go-values.ts";
import { templateWarnings } from "../validation/pod-warnings.ts";
import { claimWarnings } from "../validation/volume-warnings.ts";
import { validateSelectedTemplate, validateSelector, validateStatefulSetStatus } from "../validation/workloads.ts";
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
  },
  default({ spec }) {
    if (!spec) return;
    defaultPodTemplate(spec.template);
    if (spec.updateStrategy && !spec.updateStrategy.type) {
      spec.updateStrategy.type = "RollingUpdate";
      spec.updateStrategy.rollingUpdate ??= {};
    }
    if (spec.updateStrategy?.type === "RollingUpdate" && spec.updateStrategy.rollingUpdate)
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    // Of a feature that is off by default: it is not kept.
    delete spec.updateStrategy?.rollingUpdate?.maxUnavailable;
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
      if (claim.spec) claim.spec.volumeMode ??= "Filesystem";
      claim.status ??= {};
      claim.status.phase ??= "Pending";
    }
  },
  nameProblems: dnsLabelProblems,
  prepareForCreate(set) {
    set.status = { availableReplicas: 0, replicas: 0 };
  },
  validate: ({ spec }) => validateSpec(spec),
  validateCreate: ({ spec }) => validateUnchanging(spec),
  *validateUpdate({ spec, status }, { spec: old, status: was }, subresource) {
    if (subresource === "status") yield* validateStatefulSetStatus(status, was);
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
  if (!policy) yield required("spec.podManagementPolicy");
  else if (policy !== "OrderedReady" && policy !== "Parallel")
    yield invalidValue("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
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
  yield* validateSelectedTemplate(withClaims(spec), spec?.selector, "StatefulSet", "");
}

/** What is only looked at once, for it never changes. */
function* validateUnchanging(spec: AppsV1StatefulSetSpec | undefined): Problems {
  for (const [index, claim] of (spec?.volumeClaimTemplates ?? []).entries())
    yield* validateClaim(claim.spec, `spec.volumeClaimTemplates[${index}].spec`);
  if (spec?.serviceName) yield* invalidFor("spec.serviceName", spec.serviceName, dnsLabelProblems(spec.serviceName));
}

/** The template as its pods will have it: a volume for each claim, and a name of their own. */
function withClaims(spec: AppsV1StatefulSetSpec | undefined): AppsV1StatefulSetSpec["template"] | undefined {
  const pods = spec?.template?.spec;
  if (!spec || !pods) return spec?.template;
  const claims = spec.volumeClaimTemplates ?? [];
  const names = new Set(claims.map((claim) => claim.metadata?.name ?? ""));
  const volumes = [...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const { hostname: _, subdomain: __, ...rest } = pods;
  const others = (pods.volumes ?? []).filter(({ name }) => !names.has(name));
  return { ...spec.template, spec: { ...rest, volumes: [...volumes, ...others] } };
}

function* validateStrategy({ type, rollingUpdate }: AppsV1StatefulSetUpdateStrategy): Problems {
  const at = "spec.updateStrategy";
  if (!type) yield required(at);
  else if (type === "RollingUpdate") yield* notNegative(`${at}.rollingUpdate.partition`, rollingUpdate?.partition);
  else if (type !== "OnDelete")
    yield invalidValue(
      at,
      goValue("apps.StatefulSetUpdateStrategy", { type, rollingUpdate }),
      "must be 'RollingUpdate' or 'OnDelete'",
    );
  else if (rollingUpdate)
    yield invalidValue(
      `${at}.rollingUpdate`,
      goValue("apps.RollingUpdateStatefulSetStrategy", rollingUpdate),
      "only allowed for updateStrategy 'RollingUpdate'",
    );
}
