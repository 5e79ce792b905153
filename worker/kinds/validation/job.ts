import { dnsSubdomainProblems, patternProblem, qualifiedNameProblems } from "../../lib/names.ts";
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../../lib/status.ts";
import type { BatchV1Job, BatchV1JobSpec, BatchV1PodFailurePolicyRule } from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, notNegative, type Problems } from "./fields.ts";
import { goSelector, goValue } from "./go-values.ts";
import { countIndexes, indexesProblem } from "./job-indexes.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];
const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_EXIT_CODES = 255;
const MAX_INDEXED_PARALLELISM = 100_000;
const MAX_FAILED_INDEXES = 100_000;
const MANY_COMPLETIONS = 100_000;
const MOST_OF_MANY = 10_000;
const MAX_MANAGER = 63;
const INDEXED_ONLY = "requires indexed completion mode";

const plain = (field: string, message: string): FieldError => ({
  field,
  reason: "FieldValueInvalid",
  message: `Invalid value: ${message}`,
});

export function* validateIndexes(spec: BatchV1JobSpec | undefined, field: string): Problems {
  const { backoffLimitPerIndex, maxFailedIndexes, completions, parallelism } = spec ?? {};
  yield* notNegative(`${field}.backoffLimitPerIndex`, backoffLimitPerIndex);
  yield* notNegative(`${field}.maxFailedIndexes`, maxFailedIndexes);
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined)
    yield required(`${field}.backoffLimitPerIndex`, "when maxFailedIndexes is specified");
  yield* validateManager(spec?.managedBy, `${field}.managedBy`);
  const mode = spec?.completionMode ?? "NonIndexed";
  if (mode === "NonIndexed")
    for (const [name, value] of Object.entries({ backoffLimitPerIndex, maxFailedIndexes }))
      if (value !== undefined) yield invalidValue(`${field}.${name}`, value, INDEXED_ONLY);
  if (mode !== "NonIndexed" && mode !== "Indexed")
    yield notSupported(`${field}.completionMode`, mode, ["NonIndexed", "Indexed"]);
  if (mode !== "Indexed") return;
  if (completions === undefined) yield required(`${field}.completions`, "when completion mode is Indexed");
  if ((parallelism ?? 0) > MAX_INDEXED_PARALLELISM)
    yield invalidValue(
      `${field}.parallelism`,
      parallelism,
      `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`,
    );
  const most = maxFailedIndexes ?? 0;
  if (completions !== undefined && most > completions)
    yield invalidValue(`${field}.maxFailedIndexes`, most, "must be less than or equal to completions");
  if (most > MAX_FAILED_INDEXES)
    yield invalidValue(`${field}.maxFailedIndexes`, most, `must be less than or equal to ${MAX_FAILED_INDEXES}`);
  if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined)
    yield required(`${field}.maxFailedIndexes`, `must be specified when completions is above ${MANY_COMPLETIONS}`);
  for (const [name, value] of Object.entries({ parallelism, maxFailedIndexes }))
    if ((value ?? 0) > MOST_OF_MANY)
      yield invalidValue(
        `${field}.${name}`,
        value,
        `must be less than or equal to ${MOST_OF_MANY} when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`,
      );
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

function* validateManager(manager: string | undefined, field: string): Problems {
  if (manager === undefined) return;
  const [domain = "", ...rest] = manager.split("/");
  const path = rest.join("/");
  if (!manager) yield required(field);
  else if (!domain || !path)
    yield invalidValue(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")');
  else {
    yield* invalidFor(field, domain, dnsSubdomainProblems(domain));
    if (!new RegExp(`^${HTTP_PATH}$`).test(path))
      yield invalidValue(field, path, patternProblem("Invalid path", HTTP_PATH));
  }
  if (manager.length > MAX_MANAGER) yield tooLong(field, MAX_MANAGER);
}

const SUCCESS_RULES = 20;
const MAX_INDEXES_TEXT = 64 * 1024;

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy */
export function* validateSuccessPolicy(spec: BatchV1JobSpec | undefined, field: string): Problems {
  const policy = spec?.successPolicy;
  if (!spec || !policy) return;
  if (spec.completionMode !== "Indexed") {
    yield invalidValue(field, goValue("batch.SuccessPolicy", policy), INDEXED_ONLY);
    return;
  }
  const rules = policy.rules ?? [];
  if (!rules.length)
    yield required(`${field}.rules`, "at least one rules must be specified when the successPolicy is specified");
  if (rules.length > SUCCESS_RULES) yield tooMany(`${field}.rules`, rules.length, SUCCESS_RULES);
  for (const [index, { succeededCount, succeededIndexes }] of rules.entries())
    yield* validateSuccessRule({ succeededCount, succeededIndexes }, spec.completions ?? 0, `${field}.rules[${index}]`);
}

type SuccessRule = { succeededCount: number | undefined; succeededIndexes: string | undefined };

function* validateSuccessRule(rule: SuccessRule, completions: number, field: string): Problems {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined)
    yield required(field, "at least one of succeededCount or succeededIndexes must be specified");
  if (indexes !== undefined) {
    if (indexes.length > MAX_INDEXES_TEXT) yield tooLong(`${field}.succeededIndexes`, MAX_INDEXES_TEXT);
    const wrong = indexesProblem(indexes, completions);
    if (wrong) yield invalidValue(`${field}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${wrong}`);
  }
  if (count === undefined) return;
  const at = `${field}.succeededCount`;
  yield* notNegative(at, count);
  if (count > completions)
    yield invalidValue(at, count, `must be less than or equal to ${completions} (the number of specified completions)`);
  const named = indexes === undefined ? Number.POSITIVE_INFINITY : countIndexes(indexes, completions);
  if (count > named)
    yield invalidValue(
      at,
      count,
      `must be less than or equal to ${named} (the number of indexes in the specified succeededIndexes field)`,
    );
}

export function* validateReplacement(spec: BatchV1JobSpec | undefined, field: string): Problems {
  const policy = spec?.podReplacementPolicy;
  const supported = spec?.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  if (policy !== undefined && !supported.includes(policy)) yield notSupported(field, policy, supported);
}

export function* validateFailurePolicy(spec: BatchV1JobSpec | undefined, field: string): Problems {
  const rules = spec?.podFailurePolicy?.rules ?? [];
  const at = `${field}.podFailurePolicy.rules`;
  if (rules.length > MAX_RULES) yield tooMany(at, rules.length, MAX_RULES);
  for (const [index, rule] of rules.entries()) {
    const { action, onExitCodes, onPodConditions = [] } = rule;
    if (!action)
      yield required(`${at}[${index}].action`, `valid values: ${JSON.stringify(ACTIONS).replaceAll(",", " ")}`);
    else if (action === "FailIndex" && spec?.backoffLimitPerIndex === undefined)
      yield invalidValue(`${at}[${index}].action`, action, "requires the backoffLimitPerIndex to be set");
    else if (!ACTIONS.includes(action)) yield notSupported(`${at}[${index}].action`, action, ACTIONS);
    if (onExitCodes) yield* exitCodeProblems(onExitCodes, containersOf(spec), `${at}[${index}].onExitCodes`);
    yield* conditionProblems(onPodConditions, `${at}[${index}].onPodConditions`);
    if (onExitCodes && onPodConditions.length > 0)
      yield plain(`${at}[${index}]`, "specifying both OnExitCodes and OnPodConditions is not supported");
    if (!onExitCodes && onPodConditions.length === 0)
      yield plain(`${at}[${index}]`, "specifying one of OnExitCodes and OnPodConditions is required");
  }
}

const containersOf = (spec: BatchV1JobSpec | undefined): string[] =>
  [...(spec?.template?.spec?.containers ?? []), ...(spec?.template?.spec?.initContainers ?? [])].map(
    ({ name }) => name,
  );

type ExitCodes = NonNullable<BatchV1PodFailurePolicyRule["onExitCodes"]>;

function* exitCodeProblems(codes: ExitCodes, containers: readonly string[], field: string): Problems {
  const { operator, containerName } = codes;
  const values = codes.values ?? [];
  if (!operator) yield required(`${field}.operator`, 'valid values: ["In" "NotIn"]');
  else if (!OPERATORS.includes(operator)) yield notSupported(`${field}.operator`, operator, OPERATORS);
  if (containerName !== undefined && !containers.includes(containerName))
    yield invalidValue(
      `${field}.containerName`,
      containerName,
      "must be one of the container or initContainer names in the pod template",
    );
  if (values.length === 0)
    yield invalidValue(`${field}.values`, codes.values ?? null, "at least one value is required");
  else if (values.length > MAX_EXIT_CODES) yield tooMany(`${field}.values`, values.length, MAX_EXIT_CODES);
  for (const [index, value] of values.entries()) {
    if (operator === "In" && value === 0)
      yield invalidValue(`${field}.values[${index}]`, value, "must not be 0 for the In operator");
    if (values.indexOf(value) < index) yield duplicate(`${field}.values[${index}]`, value);
  }
  if (values.some((value, index) => index > 0 && (values[index - 1] ?? 0) > value))
    yield invalidValue(`${field}.values`, values, "must be ordered");
}

function* conditionProblems(
  patterns: NonNullable<BatchV1PodFailurePolicyRule["onPodConditions"]>,
  field: string,
): Problems {
  if (patterns.length > MAX_PATTERNS) yield tooMany(field, patterns.length, MAX_PATTERNS);
  for (const [index, { type = "", status = "" }] of patterns.entries()) {
    yield* invalidFor(`${field}[${index}].type`, type, qualifiedNameProblems(type));
    if (!status) yield required(`${field}[${index}].status`, 'valid values: ["False" "True" "Unknown"]');
    else if (!STATUSES.includes(status)) yield notSupported(`${field}[${index}].status`, status, STATUSES);
  }
}

const LASTING = [
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const satisfies readonly (keyof BatchV1JobSpec)[];

/** What a Job is to do does not change; where its pods may run does, until it starts. */
export function* validateJobUpdate(job: BatchV1Job, old: BatchV1Job): Problems {
  const [spec, before] = [job.spec, old.spec];
  const immutable = (name: keyof BatchV1JobSpec) =>
    invalidValue(`spec.${name}`, shownAs[name]?.(spec?.[name]) ?? spec?.[name] ?? null, "field is immutable");
  if (!same(spec?.completions, before?.completions)) {
    if (spec?.completionMode !== "Indexed") yield immutable("completions");
    else if (spec.completions !== undefined && spec.completions !== spec.parallelism)
      yield invalidValue("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism");
  }
  if (!same(spec?.selector, before?.selector)) yield immutable("selector");
  const waits = before?.suspend === true && old.status?.startTime === undefined;
  const pinned = (of: BatchV1JobSpec | undefined) => (waits ? withoutPlacement(of?.template) : of?.template);
  if (!same(pinned(spec), pinned(before))) yield immutable("template");
  for (const name of LASTING) if (!same(spec?.[name], before?.[name])) yield immutable(name);
}

const shownAs: Readonly<Partial<Record<keyof BatchV1JobSpec, (value: unknown) => unknown>>> = {
  selector: (value) => goSelector(value as BatchV1JobSpec["selector"]),
  template: (value) => goValue("core.PodTemplateSpec", value),
  podFailurePolicy: (value) => goValue("batch.PodFailurePolicy", value),
  successPolicy: (value) => goValue("batch.SuccessPolicy", value),
};

type Template = BatchV1JobSpec["template"];

function withoutPlacement(template: Template | undefined): unknown {
  if (!template) return template;
  const { labels: _, annotations: __, ...metadata } = template.metadata ?? {};
  const { affinity, nodeSelector: ___, tolerations: ____, schedulingGates: _____, ...spec } = template.spec ?? {};
  const { nodeAffinity: ______, ...otherAffinity } = affinity ?? {};
  return { ...template, metadata, spec: { ...spec, affinity: otherAffinity } };
}
