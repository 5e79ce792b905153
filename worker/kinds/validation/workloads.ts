import { matchesSelector } from "../../lib/selectors.ts";
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  AppsV1DeploymentSpec,
  AppsV1DeploymentStatus,
  AppsV1DeploymentStrategy,
  CoreV1PodTemplateSpec,
  MetaV1LabelSelector,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { notNegative, type Problems } from "./fields.ts";
import { goSelector, goValue } from "./go-values.ts";
import { plainValue, validateAtMostAll, validateIntOrPercent } from "./int-or-percent.ts";
import { isEmptySelector, validateLabelSelector } from "./label-selector.ts";
import { validatePodTemplate } from "./pod-spec.ts";

const SELECTOR = "spec.selector";
const TEMPLATE = "spec.template";

/** Checks shared by everything that keeps pods running from a template. `owner` names the kind in messages. */
export function* validateSelector(selector: MetaV1LabelSelector | null | undefined, emptyFor: string): Problems {
  if (!selector) {
    yield required(SELECTOR);
    return;
  }
  yield* validateLabelSelector(selector, SELECTOR);
  if (isEmptySelector(selector))
    yield invalidValue(SELECTOR, goSelector(selector), `empty selector is invalid for ${emptyFor}`);
}

/** A template whose pods the selector finds; of one that cannot be read, `unreadable` says more. */
export function* validateSelectedTemplate(
  template: CoreV1PodTemplateSpec | undefined,
  selector: MetaV1LabelSelector | null | undefined,
  owner: string,
  unreadable = "invalid label selector",
): Problems {
  if (!isReadable(selector)) yield invalidValue(SELECTOR, goSelector(selector), unreadable);
  else {
    if (!selector || (!isEmptySelector(selector) && !matchesTemplate(selector, template)))
      yield selectsOthers(template);
    yield* validatePodTemplate(template, TEMPLATE);
    if (owner === "ReplicaSet") yield* validateLasting(template, owner);
  }
  if (owner !== "ReplicaSet") yield* validateLasting(template, owner);
}

/** Pods that are always restarted, and run until they are told to end. */
export function* validateLasting(template: CoreV1PodTemplateSpec | undefined, owner: string): Problems {
  const { restartPolicy = "", activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== "Always") yield notSupported(`${TEMPLATE}.spec.restartPolicy`, restartPolicy, ["Always"]);
  if (activeDeadlineSeconds !== undefined)
    yield forbiddenField(
      `${TEMPLATE}.spec.activeDeadlineSeconds`,
      `activeDeadlineSeconds in ${owner} is not Supported`,
    );
}

/** The problem of a controller that would not select the pods it makes. */
export const selectsOthers = (template: CoreV1PodTemplateSpec | undefined): FieldError =>
  invalidValue(
    `${TEMPLATE}.metadata.labels`,
    template?.metadata?.labels ?? null,
    "`selector` does not match template `labels`",
  );

export const isReadable = (selector: MetaV1LabelSelector | null | undefined): boolean =>
  [...validateLabelSelector(selector, "")].length === 0;

/** A selector that cannot be read has its own problem reported already. */
export const matchesTemplate = (selector: MetaV1LabelSelector, template: CoreV1PodTemplateSpec | undefined): boolean =>
  !isReadable(selector) || matchesSelector(selector, template?.metadata?.labels);

export function* validateDeployment({ spec }: { spec?: AppsV1DeploymentSpec }): Problems {
  const { selector, template, strategy, progressDeadlineSeconds: deadline, minReadySeconds } = spec ?? {};
  yield* notNegative("spec.replicas", spec?.replicas);
  yield* validateSelector(selector, "deployment");
  yield* validateSelectedTemplate(template, selector, "ReplicaSet");
  yield* validateStrategy(strategy ?? {}, "spec.strategy");
  yield* notNegative("spec.minReadySeconds", minReadySeconds);
  yield* notNegative("spec.revisionHistoryLimit", spec?.revisionHistoryLimit);
  yield* notNegative("spec.progressDeadlineSeconds", deadline);
  if (deadline !== undefined && deadline <= (minReadySeconds ?? 0))
    yield invalidValue("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
}

function* validateStrategy({ type, rollingUpdate }: AppsV1DeploymentStrategy, field: string): Problems {
  const at = `${field}.rollingUpdate`;
  if (type === "Recreate") {
    if (rollingUpdate) yield forbiddenField(at, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (type !== "RollingUpdate") {
    yield notSupported(field, goValue("apps.DeploymentStrategy", { type, rollingUpdate }), [
      "Recreate",
      "RollingUpdate",
    ]);
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  yield* validateIntOrPercent(`${at}.maxUnavailable`, maxUnavailable);
  yield* validateIntOrPercent(`${at}.maxSurge`, maxSurge);
  if (plainValue(maxUnavailable) === 0 && plainValue(maxSurge) === 0)
    yield invalidValue(`${at}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0");
  yield* validateAtMostAll(`${at}.maxUnavailable`, maxUnavailable);
}

/** What a controller selects is said once. */
export function* validateSelectorUpdate(
  now: MetaV1LabelSelector | undefined,
  old: MetaV1LabelSelector | undefined,
): Problems {
  if (!same(now, old)) yield invalidValue(SELECTOR, goSelector(now), "field is immutable");
}

type ReplicaSetLike = {
  spec?: {
    replicas?: number;
    minReadySeconds?: number;
    selector?: MetaV1LabelSelector;
    template?: CoreV1PodTemplateSpec;
  };
};

export function* validateReplicaSet({ spec }: ReplicaSetLike): Problems {
  yield* notNegative("spec.replicas", spec?.replicas);
  yield* notNegative("spec.minReadySeconds", spec?.minReadySeconds);
  yield* validateSelector(spec?.selector, "deployment");
  yield* validateSelectedTemplate(spec?.template, spec?.selector, "ReplicaSet");
}

const REPLICAS_MOST = "cannot be greater than status.replicas";

type Counted = { replicas?: number; readyReplicas?: number; availableReplicas?: number };

/** `counts` in the order of their checks; `parts` are of all replicas. `ready` is how the last message names those. */
function* validateReplicas(
  status: Counted,
  counts: readonly string[],
  parts: readonly string[],
  ready = "readyReplicas",
): Problems {
  const value = (name: string) => (status as Readonly<Record<string, number | undefined>>)[name] ?? 0;
  for (const name of counts) yield* notNegative(`status.${name}`, value(name));
  for (const name of parts)
    if (value(name) > value("replicas")) yield invalidValue(`status.${name}`, value(name), REPLICAS_MOST);
  if (value("availableReplicas") > value("readyReplicas"))
    yield invalidValue("status.availableReplicas", value("availableReplicas"), `cannot be greater than ${ready}`);
}

type Collided = { collisionCount?: number };

export function* validateCollisions(status: Collided | undefined, old: Collided | undefined): Problems {
  const before = old?.collisionCount;
  const now = status?.collisionCount;
  if (before !== undefined && (now === undefined || now < before))
    yield invalidValue("status.collisionCount", now ?? 0, "cannot be decremented");
}

export function* validateDeploymentStatus(
  status: AppsV1DeploymentStatus = {},
  old: AppsV1DeploymentStatus = {},
): Problems {
  yield* validateReplicas(
    status,
    [
      "observedGeneration",
      "replicas",
      "updatedReplicas",
      "readyReplicas",
      "availableReplicas",
      "unavailableReplicas",
      "terminatingReplicas",
      "collisionCount",
    ],
    ["updatedReplicas", "readyReplicas", "availableReplicas"],
  );
  yield* validateCollisions(status, old);
}

export function* validateReplicaSetStatus(status: Counted = {}): Problems {
  const parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
  yield* validateReplicas(status, ["replicas", ...parts, "observedGeneration", "terminatingReplicas"], parts);
}

export function* validateStatefulSetStatus(
  status: Counted & Collided = {},
  old: Collided | undefined = undefined,
): Problems {
  const parts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
  const counts = ["replicas", ...parts, "observedGeneration", "collisionCount"];
  yield* validateReplicas(status, counts, parts, "status.readyReplicas");
  yield* validateCollisions(status, old);
}
