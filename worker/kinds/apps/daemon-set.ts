import { invalidValue, notSupported } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { AppsV1DaemonSetSpec, Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { notNegative, type Problems } from "../validation/fields.ts";
import { plainValue, validateAtMostAll, validateIntOrPercent } from "../validation/int-or-percent.ts";
import { podWarnings } from "../validation/pod-warnings.ts";
import { validateSelectedTemplate, validateSelector } from "../validation/workloads.ts";
import { containersColumn, imagesColumn, pairs, selectorColumn } from "./workload-columns.ts";

/** Kept for clients of old versions; counts the changes of the template. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ */
export type DaemonSet = Schemas["io.k8s.api.apps.v1.DaemonSet"];
export const DaemonSet = defineKind({
  schema: "io.k8s.api.apps.v1.DaemonSet",
  immutable: ["spec.selector"],
  defaults: {
    "spec.revisionHistoryLimit": 10,
    "spec.updateStrategy": {},
    "spec.updateStrategy.type": "RollingUpdate",
  },
  default({ metadata, spec }) {
    if (metadata) metadata.annotations = { [TEMPLATE_GENERATION]: "0", ...metadata.annotations };
    if (!spec) return;
    defaultPodTemplate(spec.template);
    if (spec.updateStrategy?.type !== "RollingUpdate") return;
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  },
  prepareForCreate(set) {
    set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: "1" };
    set.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  },
  prepareForUpdate(set, old, subresource) {
    if (subresource !== "") return;
    const before = old.metadata.annotations?.[TEMPLATE_GENERATION] ?? "1";
    const changed = !same(set.spec?.template, old.spec?.template);
    const generation = changed ? String(Number(before) + 1) : before;
    set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: generation };
  },
  validate: ({ spec }) => validateSpec(spec),
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

function* validateSpec(spec: AppsV1DaemonSetSpec | undefined): Problems {
  yield* validateSelector(spec?.selector, "daemonset");
  yield* validateSelectedTemplate(spec?.template, spec?.selector, "DaemonSet");
  yield* notNegative("spec.minReadySeconds", spec?.minReadySeconds);
  yield* notNegative("spec.revisionHistoryLimit", spec?.revisionHistoryLimit);
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (type === "OnDelete") return;
  if (type !== "RollingUpdate") {
    yield notSupported("spec.updateStrategy.type", type ?? "", ["OnDelete", "RollingUpdate"]);
    return;
  }
  const at = "spec.updateStrategy.rollingUpdate";
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  for (const [name, value] of Object.entries({ maxUnavailable, maxSurge })) {
    yield* validateIntOrPercent(`${at}.${name}`, value);
    yield* validateAtMostAll(`${at}.${name}`, value);
  }
  const some = [plainValue(maxUnavailable), plainValue(maxSurge)].filter((value) => value !== 0).length;
  if (some === 0) yield invalidValue(`${at}.maxUnavailable`, maxUnavailable, "cannot be 0 when maxSurge is 0");
  if (some === 2) yield invalidValue(`${at}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero");
}
