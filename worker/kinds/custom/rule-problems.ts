/** What is wrong with validation rules when they are declared, and whether they could cost too much. */
import { MAX, multiply } from "../../lib/cel/ranges.ts";
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  ApiextensionsV1JSONSchemaProps as Props,
  ApiextensionsV1ValidationRule as Written,
} from "../generated/types.ts";
import type { Schema } from "../schema.ts";
import { declare, MAX_REQUEST_BYTES } from "./cel-types.ts";
import { type Rule, rulesOf } from "./compiled-rules.ts";
import { fieldPath } from "./field-path.ts";

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const hasNewlines = (text: string) => /[\n\r]/.test(text);

/** What can be said of a rule without its meaning. `at` is its own path. */
export function* writtenProblems(written: Written, at: string, schema: Schema): Iterable<FieldError> {
  const { rule = "", message = "", messageExpression = "", reason, fieldPath: path = "" } = written;
  if (!rule.trim()) yield required(`${at}.rule`, "rule is not specified");
  else if (message && !message.trim()) yield invalidValue(`${at}.message`, message, "must be non-empty if specified");
  else if (hasNewlines(message.trim())) yield invalidValue(`${at}.message`, message, "must not contain line breaks");
  else if (hasNewlines(rule.trim()) && !message.trim())
    yield required(`${at}.message`, "message must be specified if rule contains line breaks");
  if (messageExpression && !messageExpression.trim())
    yield required(`${at}.messageExpression`, "messageExpression must be non-empty if specified");
  if (reason !== undefined && !REASONS.includes(reason)) yield notSupported(`${at}.reason`, reason, REASONS);
  if (path && !path.trim()) yield invalidValue(`${at}.fieldPath`, path, "must be non-empty if specified");
  if (hasNewlines(path)) yield invalidValue(`${at}.fieldPath`, path, "must not contain line breaks");
  if (path && "problem" in fieldPath(path, schema)) yield invalidValue(`${at}.fieldPath`, path, "must be a valid path");
}

/** What one rule may cost at most, and all rules of a definition. */
const RULE_LIMIT = 10_000_000;
const DEFINITION_LIMIT = 100_000_000;

/** The costs of all rules so far, and where the most expensive are. */
type Total = { cost: number; expensive: { path: string; cost: number }[] };

function observe(total: Total, path: string, cost: number): void {
  total.cost = Math.min(total.cost + cost, MAX);
  if (cost < DEFINITION_LIMIT / 100) return;
  total.expensive.push({ path, cost });
  total.expensive = total.expensive.toSorted((a, b) => b.cost - a.cost).slice(0, 4);
}

/** What is wrong with the rules of a sound schema. `path` is the schema's own. */
export function* ruleProblems(root: Schema, props: Props, path: string): Iterable<FieldError> {
  const total: Total = { cost: 0, expensive: [] };
  yield* problemsWithin({ schema: root, props, path, isResource: true, times: 1, uncorrelated: "" }, total);
  if (total.cost <= DEFINITION_LIMIT) return;
  for (const { path: at } of total.expensive)
    yield forbiddenField(
      at,
      "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema",
    );
  const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  yield forbiddenField(path, tooExpensive(what, total.cost, DEFINITION_LIMIT));
}

/**
 * A schema within. `times` is how often it can appear, undefined where nothing says; `uncorrelated` is the nearest
 * ancestor in which old values cannot be found again, or "".
 */
type Place = {
  schema: Schema;
  props: Props;
  path: string;
  isResource: boolean;
  times: number | undefined;
  uncorrelated: string;
};

function* problemsWithin(place: Place, total: Total): Iterable<FieldError> {
  const { schema, path } = place;
  for (const child of childrenOf(place)) yield* problemsWithin(child, total);
  for (const [index, rule] of rulesOf(schema, place.isResource).entries())
    yield* meaningProblems(rule, `${path}.x-kubernetes-validations[${index}]`, place, total);
}

function* childrenOf(place: Place): Iterable<Place> {
  const { schema, props, path, uncorrelated } = place;
  const times = multiplied(place.times, mostWithin(props));
  const within = (child: Schema, of: Props, at: string, lost = uncorrelated): Place => ({
    schema: child,
    props: of,
    path: at,
    isResource: child.embedded ?? false,
    times,
    uncorrelated: lost,
  });
  const values = props.additionalProperties;
  if (schema.type === "map" && schema.items && typeof values === "object")
    yield within(schema.items, values as Props, `${path}.additionalProperties`);
  for (const [name, field] of Object.entries(props.properties ?? {})) {
    const child = schema.fields?.[name];
    if (child && !child.name) yield within(child, field, `${path}.properties[${name}]`);
  }
  if (schema.type === "list" && schema.items && typeof props.items === "object")
    yield within(
      schema.items,
      props.items as Props,
      `${path}.items`,
      props["x-kubernetes-list-type"] === "map" ? uncorrelated : uncorrelated || path,
    );
}

/** How many there can be of what is within; undefined for no limit. */
function mostWithin({ type, additionalProperties, maxProperties, maxItems }: Props): number | undefined {
  if (type === "object") return additionalProperties === undefined ? 1 : bounded(maxProperties);
  return type === "array" ? bounded(maxItems) : 1;
}

const bounded = (most: number | undefined) => (most === undefined ? undefined : Math.max(0, most));
const multiplied = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : Math.min(a * b, MAX);

function* meaningProblems(rule: Rule, at: string, place: Place, total: Total): Iterable<FieldError> {
  const { written } = rule;
  const times = place.times ?? mostInRequest(place);
  const cost = multiply({ min: 0, max: rule.maxCost }, { min: 0, max: times }).max;
  if (cost > RULE_LIMIT) yield forbiddenField(`${at}.rule`, tooExpensive("estimated rule cost", cost, RULE_LIMIT));
  observe(total, `${at}.rule`, cost);
  if (rule.problem !== undefined) yield invalidValue(`${at}.rule`, shown(written), rule.problem);
  if (rule.messageProblem !== undefined)
    yield invalidValue(`${at}.messageExpression`, shown(written), rule.messageProblem);
  else if (rule.message) {
    if (rule.maxMessageCost > RULE_LIMIT)
      yield forbiddenField(
        `${at}.messageExpression`,
        tooExpensive("estimated messageExpression cost", rule.maxMessageCost, RULE_LIMIT),
      );
    observe(total, `${at}.messageExpression`, rule.maxMessageCost);
  }
  if (rule.usesOld && place.uncorrelated)
    yield invalidValue(
      `${at}.rule`,
      written.rule,
      `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`,
    );
  else if (!rule.usesOld && written.optionalOldSelf !== undefined)
    yield invalidValue(
      `${at}.optionalOldSelf`,
      written.optionalOldSelf,
      "may not be set if oldSelf is not used in rule",
    );
}

/** As many as fit into one request. */
function mostInRequest({ schema, isResource }: Place): number {
  return Math.floor(MAX_REQUEST_BYTES / ((declare(schema, isResource)?.minBytes ?? 0) + 1));
}

function tooExpensive(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shownFactor = factor > 100 ? "more than 100" : factor < 1.5 ? factor.toFixed(6) : factor.toFixed(1);
  return `${what} exceeds budget by factor of ${shownFactor}x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** As kube-apiserver shows a rule: by the names of its own fields. */
const shown = (written: Written) => ({
  Rule: written.rule,
  Message: written.message ?? "",
  MessageExpression: written.messageExpression ?? "",
  Reason: written.reason ?? null,
  FieldPath: written.fieldPath ?? "",
  OptionalOldSelf: written.optionalOldSelf ?? null,
});
