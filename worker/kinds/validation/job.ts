import { qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, type FieldError, invalidValue, notSupported, required, tooMany } from "../../lib/status.ts";
import type { BatchV1Job, BatchV1JobSpec, BatchV1PodFailurePolicyRule } from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, notNegative, type Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];
const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_EXIT_CODES = 255;
const MAX_INDEXED_PARALLELISM = 100_000;
const MAX_FAILED_INDEXES = 100_000;
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
  const mode = spec?.completionMode ?? "NonIndexed";
  if (mode === "NonIndexed")
    for (const [name, value] of Object.entries({ backoffLimitPerIndex, maxFailedIndexes }))
      if (value !== undefined) yield invalidValue(`${field}.${name}`, value, INDEXED_ONLY);
  if (mode !== "Indexed") return;
  if ((parallelism ?? 0) > MAX_INDEXED_PARALLELISM)
    yield invalidValue(
      `${field}.parallelism`,
      parallelism,
      `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`,
    );
  if (maxFailedIndexes === undefined) return;
  if (completions !== undefined && maxFailedIndexes > completions)
    yield invalidValue(`${field}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions");
  if (maxFailedIndexes > MAX_FAILED_INDEXES)
    yield invalidValue(
      `${field}.maxFailedIndexes`,
      maxFailedIndexes,
      `must be less than or equal to ${MAX_FAILED_INDEXES}`,
    );
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
  if (!OPERATORS.includes(operator)) yield notSupported(`${field}.operator`, operator, OPERATORS);
  if (containerName !== undefined && !containers.includes(containerName))
    yield invalidValue(
      `${field}.containerName`,
      containerName,
      "must be one of the container or initContainer names in the pod template",
    );
  if (values.length === 0) yield invalidValue(`${field}.values`, values, "at least one value is required");
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
    if (!STATUSES.includes(status)) yield notSupported(`${field}[${index}].status`, status, STATUSES);
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
  const immutable = (name: keyof BatchV1JobSpec) => invalidValue(`spec.${name}`, spec?.[name], "field is immutable");
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

type Template = BatchV1JobSpec["template"];

function withoutPlacement(template: Template | undefined): unknown {
  if (!template) return template;
  const { labels: _, annotations: __, ...metadata } = template.metadata ?? {};
  const { affinity, nodeSelector: ___, tolerations: ____, schedulingGates: _____, ...spec } = template.spec ?? {};
  const { nodeAffinity: ______, ...otherAffinity } = affinity ?? {};
  return { ...template, metadata, spec: { ...spec, affinity: otherAffinity } };
}
