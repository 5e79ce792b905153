import { invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { AppsV1DaemonSetSpec, AppsV1DaemonSetUpdateStrategy, Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { notNegative, type Problems } from "../validation/fields.ts";
import { goSelector, goValue } from "../validation/go-values.ts";
import { plainValue, validateAtMostAll, validateIntOrPercent } from "../validation/int-or-percent.ts";
import { isEmptySelector, validateLabelSelector } from "../validation/label-selector.ts";
import { validatePodTemplate } from "../validation/pod-spec.ts";
import { podWarnings } from "../validation/pod-warnings.ts";
import { matchesTemplate, selectsOthers, validateCollisions, validateLasting } from "../validation/workloads.ts";
import { containersColumn, imagesColumn, pairs, selectorColumn } from "./workload-columns.ts";

/** Kept for clients of old versions; counts the changes of the template. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ */
export type DaemonSet = Schemas["io.k8s.api.apps.v1.DaemonSet"];
export const DaemonSet = defineKind({
  schema: "io.k8s.api.apps.v1.DaemonSet",
  defaults: {
    "spec.revisionHistoryLimit": 10,
    "spec.updateStrategy": {},
    "spec.updateStrategy.type": "RollingUpdate",
  },
  default({ metadata, spec }) {
    if (metadata) metadata.annotations = { [TEMPLATE_GENERATION]: "0", ...metadata.annotations };
    if (!spec) return;
    defaultPodTemplate(spec.template);
    const strategy = spec.updateStrategy;
    if (strategy?.type === "RollingUpdate") {
      strategy.rollingUpdate ??= {};
      strategy.rollingUpdate.maxUnavailable ??= 1;
    }
    if (!strategy?.rollingUpdate) return;
    strategy.rollingUpdate.maxUnavailable ??= 0;
    strategy.rollingUpdate.maxSurge ??= 0;
  },
  prepareForCreate(set) {
    set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: "1" };
    set.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  },
  prepareForUpdate(set, old, subresource) {
    const before = old.metadata.annotations?.[TEMPLATE_GENERATION] ?? "1";
    const changed = subresource === "" && !same(set.spec?.template, old.spec?.template);
    const generation = changed ? String(Number(before) + 1) : before;
    set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: generation };
  },
  validate: ({ spec }) => validateSpec(spec),
  changesFirst: true,
  *validateUpdate({ spec, status }, old, subresource) {
    if (subresource === "status") {
      for (const name of COUNTS) yield* notNegative(`status.${name}`, status?.[name]);
      yield* validateCollisions(status, old.status);
    } else if (!same(spec?.selector, old.spec?.selector))
      yield invalidValue("spec.selector", goSelector(spec?.selector), "field is immutable");
  },
  *warnings(set, old) {
    const generation = (of: typeof set) => of.metadata.annotations?.[TEMPLATE_GENERATION];
    if (!old || generation(set) !== generation(old)) yield* podWarnings(set.spec?.template, "spec.template.");
  },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", value: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { name: "Current", type: "integer", value: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { name: "Ready", type: "integer", value: ({ status }) => status?.numberReady ?? 0 },
    { name: "Up-to-date", type: "integer", value: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", value: ({ status }) => status?.numberAvailable ?? 0 },
    { name: "Node Selector", type: "string", value: ({ spec }) => pairs(spec?.template?.spec?.nodeSelector) },
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
});

const COUNTS = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
] as const;

function* validateSpec(spec: AppsV1DaemonSetSpec | undefined): Problems {
  const selector = spec?.selector;
  yield* validateLabelSelector(selector, "spec.selector");
  if (!selector || !matchesTemplate(selector, spec.template)) yield selectsOthers(spec?.template);
  if (selector && isEmptySelector(selector))
    yield invalidValue("spec.selector", goSelector(selector), "empty selector is invalid for daemonset");
  yield* validatePodTemplate(spec?.template, "spec.template");
  yield* validateLasting(spec?.template, "DaemonSet");
  yield* notNegative("spec.minReadySeconds", spec?.minReadySeconds);
  yield* validateStrategy(spec?.updateStrategy ?? {});
  yield* notNegative("spec.revisionHistoryLimit", spec?.revisionHistoryLimit);
}

function* validateStrategy({ type, rollingUpdate }: AppsV1DaemonSetUpdateStrategy): Problems {
  if (type === "OnDelete") return;
  if (type !== "RollingUpdate") {
    yield notSupported("spec.updateStrategy", goValue("apps.DaemonSetUpdateStrategy", { type, rollingUpdate }), [
      "RollingUpdate",
      "OnDelete",
    ]);
    return;
  }
  const at = "spec.updateStrategy.rollingUpdate";
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  for (const [name, value] of Object.entries({ maxUnavailable, maxSurge }))
    yield* validateIntOrPercent(`${at}.${name}`, value);
  for (const [name, value] of Object.entries({ maxUnavailable, maxSurge }))
    yield* validateAtMostAll(`${at}.${name}`, value);
  const some = [plainValue(maxUnavailable), plainValue(maxSurge)].filter((value) => value !== 0).length;
  if (some === 0) yield required(`${at}.maxUnavailable`, "cannot be 0 when maxSurge is 0");
  if (some === 2) yield invalidValue(`${at}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero");
}
