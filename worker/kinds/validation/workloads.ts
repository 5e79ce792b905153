import { matchesSelector } from "../../lib/selectors.ts";
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  AppsV1DeploymentSpec,
  AppsV1DeploymentStatus,
  AppsV1DeploymentStrategy,
  CoreV1PodTemplateSpec,
  MetaV1LabelSelector,
} from "../generated/types.ts";
import { notNegative, type Problems } from "./fields.ts";
import { goSelector } from "./go-values.ts";
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

/** A template whose pods the selector finds and that are always restarted. */
export function* validateSelectedTemplate(
  template: CoreV1PodTemplateSpec | undefined,
  selector: MetaV1LabelSelector | null | undefined,
  owner: string,
): Problems {
  if (!selector || (!isEmptySelector(selector) && !matchesTemplate(selector, template))) yield selectsOthers(template);
  yield* validatePodTemplate(template, TEMPLATE);
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy && restartPolicy !== "Always")
    yield notSupported(`${TEMPLATE}.spec.restartPolicy`, restartPolicy, ["Always"]);
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

const KNOWN_OPERATORS = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** A selector that cannot be read has its own problem reported already. */
export function matchesTemplate(selector: MetaV1LabelSelector, template: CoreV1PodTemplateSpec | undefined): boolean {
  const readable = (selector.matchExpressions ?? []).every(({ operator }) => KNOWN_OPERATORS.has(operator));
  return !readable || matchesSelector(selector, template?.metadata?.labels);
}

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
    yield notSupported(field, { Type: type ?? "", RollingUpdate: null }, ["Recreate", "RollingUpdate"]);
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  yield* validateIntOrPercent(`${at}.maxUnavailable`, maxUnavailable);
  yield* validateIntOrPercent(`${at}.maxSurge`, maxSurge);
  if (plainValue(maxUnavailable) === 0 && plainValue(maxSurge) === 0)
    yield invalidValue(`${at}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0");
  yield* validateAtMostAll(`${at}.maxUnavailable`, maxUnavailable);
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

const COUNTS = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
] as const;

export function* validateDeploymentStatus(
  status: AppsV1DeploymentStatus = {},
  old: AppsV1DeploymentStatus = {},
): Problems {
  for (const name of COUNTS) yield* notNegative(`status.${name}`, status[name]);
  for (const name of ["updatedReplicas", "readyReplicas", "availableReplicas"] as const)
    if ((status[name] ?? 0) > (status.replicas ?? 0))
      yield invalidValue(`status.${name}`, status[name] ?? 0, "cannot be greater than status.replicas");
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0))
    yield invalidValue("status.availableReplicas", status.availableReplicas, "cannot be greater than readyReplicas");
  if ((status.collisionCount ?? 0) < (old.collisionCount ?? 0))
    yield invalidValue("status.collisionCount", status.collisionCount ?? 0, "cannot be decremented");
}
