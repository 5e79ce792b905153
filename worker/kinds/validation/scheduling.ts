import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  CoreV1Affinity,
  CoreV1NodeAffinity,
  CoreV1NodeSelector,
  CoreV1NodeSelectorRequirement,
  CoreV1NodeSelectorTerm,
  CoreV1PodAffinity,
  CoreV1PodAffinityTerm,
  CoreV1PodSpec,
  CoreV1Toleration,
} from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { validateLabelSelector } from "./label-selector.ts";
import { TAINT_EFFECTS } from "./node.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

export function* validateAffinity(affinity: CoreV1Affinity | undefined, field: string): Problems {
  if (affinity?.nodeAffinity) yield* validateNodeAffinity(affinity.nodeAffinity, `${field}.nodeAffinity`);
  if (affinity?.podAffinity) yield* validatePodAffinity(affinity.podAffinity, `${field}.podAffinity`);
  if (affinity?.podAntiAffinity) yield* validatePodAffinity(affinity.podAntiAffinity, `${field}.podAntiAffinity`);
}

function* validateNodeAffinity(affinity: CoreV1NodeAffinity, field: string): Problems {
  const needed = affinity[REQUIRED];
  if (needed) yield* validateNodeSelector(needed, `${field}.${REQUIRED}`);
  for (const [index, { weight, preference }] of (affinity[PREFERRED] ?? []).entries()) {
    const at = `${field}.${PREFERRED}[${index}]`;
    yield* validateWeight(weight, `${at}.weight`);
    // What is only preferred may name values that no label has.
    yield* validateNodeTerm(preference ?? {}, `${at}.preference`, true);
  }
}

export function* validateNodeSelector({ nodeSelectorTerms: terms }: CoreV1NodeSelector, field: string): Problems {
  const at = `${field}.nodeSelectorTerms`;
  if (!terms?.length) yield required(at, "must have at least one node selector term");
  for (const [index, term] of (terms ?? []).entries()) yield* validateNodeTerm(term, `${at}[${index}]`);
}

function* validateWeight(weight: number | undefined, field: string): Problems {
  if (weight === undefined || weight < 1 || weight > 100)
    yield invalidValue(field, weight ?? 0, "must be in the range 1-100");
}

function* validateNodeTerm(term: CoreV1NodeSelectorTerm, field: string, anyValues = false): Problems {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries())
    yield* validateNodeExpression(requirement, `${field}.matchExpressions[${index}]`, anyValues);
  for (const [index, requirement] of (term.matchFields ?? []).entries())
    yield* validateNodeField(requirement, `${field}.matchFields[${index}]`);
}

function* validateNodeExpression(
  requirement: CoreV1NodeSelectorRequirement,
  field: string,
  anyValues: boolean,
): Problems {
  const { key = "", operator = "", values = [] } = requirement;
  if (operator === "In" || operator === "NotIn") {
    if (!values.length) yield required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length)
      yield forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1)
      yield required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else yield invalidValue(`${field}.operator`, operator, "not a valid selector operator");
  yield* invalidFor(`${field}.key`, key, qualifiedNameProblems(key));
  if (anyValues) return;
  for (const [index, value] of values.entries())
    yield* invalidFor(`${field}.values[${index}]`, value, labelValueProblems(value));
}

function* validateNodeField(requirement: CoreV1NodeSelectorRequirement, field: string): Problems {
  const { key = "", operator = "", values = [] } = requirement;
  if (operator !== "In" && operator !== "NotIn")
    yield invalidValue(`${field}.operator`, operator, "not a valid selector operator");
  else if (values.length !== 1)
    yield required(
      `${field}.values`,
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
    );
  if (key !== "metadata.name") yield invalidValue(`${field}.key`, key, "not a valid field selector key");
  else
    for (const [index, value] of values.entries())
      yield* invalidFor(`${field}.values[${index}]`, value, dnsSubdomainProblems(value));
}

function* validatePodAffinity(affinity: CoreV1PodAffinity, field: string): Problems {
  for (const [index, term] of (affinity[REQUIRED] ?? []).entries())
    yield* validatePodTerm(term, `${field}.${REQUIRED}[${index}]`);
  for (const [index, { weight, podAffinityTerm }] of (affinity[PREFERRED] ?? []).entries()) {
    const at = `${field}.${PREFERRED}[${index}]`;
    yield* validateWeight(weight, `${at}.weight`);
    if (podAffinityTerm) yield* validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`);
  }
}

function* validatePodTerm(term: CoreV1PodAffinityTerm, field: string): Problems {
  const { labelSelector, namespaceSelector, namespaces = [], topologyKey = "" } = term;
  yield* validateLabelSelector(labelSelector, `${field}.labelSelector`);
  yield* validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`);
  for (const name of namespaces) yield* invalidFor(`${field}.namespace`, name, dnsLabelProblems(name));
  yield* validateLabelKeys(term, field);
  if (!topologyKey) yield required(`${field}.topologyKey`, "can not be empty");
  yield* invalidFor(`${field}.topologyKey`, topologyKey, qualifiedNameProblems(topologyKey));
}

type Keyed = Pick<CoreV1PodAffinityTerm, "matchLabelKeys" | "mismatchLabelKeys" | "labelSelector">;

/** Keys whose values are the pod's own. */
function* validateLabelKeys(
  { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector }: Keyed,
  field: string,
): Problems {
  for (const [name, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    if (keys.length && !labelSelector)
      yield forbiddenField(`${field}.${name}`, "must not be specified when labelSelector is not set");
    else
      for (const [index, key] of keys.entries())
        yield* invalidFor(`${field}.${name}[${index}]`, key, qualifiedNameProblems(key));
  }
  // The server itself adds one expression for each key: a second is the client's.
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key = "" } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index >= 0 && selected.has(key))
      yield invalidValue(`${field}[${index}]`, key, "exists in both matchLabelKeys and labelSelector");
    selected.add(key);
  }
  for (const [index, key] of matchLabelKeys.entries())
    if (mismatchLabelKeys.includes(key))
      yield invalidValue(
        `${field}.matchLabelKeys[${index}]`,
        key,
        "exists in both matchLabelKeys and mismatchLabelKeys",
      );
}

const WHEN = ["DoNotSchedule", "ScheduleAnyway"];
const INCLUSION = ["Honor", "Ignore"];

export function* validateSpread(constraints: CoreV1PodSpec["topologySpreadConstraints"], field: string): Problems {
  const pairOf = ({ topologyKey = "", whenUnsatisfiable: when = "" }: Spread) => `{${topologyKey}, ${when}}`;
  for (const [index, constraint] of (constraints ?? []).entries()) {
    const at = `${field}[${index}]`;
    const { maxSkew = 0, topologyKey, whenUnsatisfiable = "", minDomains } = constraint;
    if (maxSkew <= 0) yield invalidValue(`${at}.maxSkew`, maxSkew, "must be greater than zero");
    if (!topologyKey) yield required(`${at}.topologyKey`, "can not be empty");
    if (!WHEN.includes(whenUnsatisfiable)) yield notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, WHEN);
    const pair = pairOf(constraint);
    if ((constraints ?? []).slice(index + 1).some((later) => pairOf(later) === pair))
      yield duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair);
    if (minDomains !== undefined) {
      if (minDomains <= 0) yield invalidValue(`${at}.minDomains`, minDomains, "must be greater than zero");
      if (whenUnsatisfiable !== "DoNotSchedule")
        yield invalidValue(
          `${at}.minDomains`,
          minDomains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
        );
    }
    for (const name of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const policy = constraint[name];
      if (policy !== undefined && !INCLUSION.includes(policy)) yield notSupported(`${at}.${name}`, policy, INCLUSION);
    }
    yield* validateLabelKeys(constraint, at);
    yield* validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`);
  }
}

type Spread = NonNullable<CoreV1PodSpec["topologySpreadConstraints"]>[number];

export function* validateTolerations(tolerations: readonly CoreV1Toleration[] | undefined, field: string): Problems {
  for (const [index, toleration] of (tolerations ?? []).entries())
    yield* validateToleration(toleration, `${field}[${index}]`);
}

function* validateToleration(toleration: CoreV1Toleration, field: string): Problems {
  const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = toleration;
  if (key) yield* invalidFor(`${field}.key`, key, qualifiedNameProblems(key));
  if (!key && operator !== "Exists")
    yield invalidValue(
      `${field}.operator`,
      operator,
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    );
  if (tolerationSeconds !== undefined && effect !== "NoExecute")
    yield invalidValue(`${field}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
  if (operator === "" || operator === "Equal") {
    const problems = labelValueProblems(value);
    if (problems.length) yield invalidValue(`${field}.operator`, value, problems.join(";"));
  } else if (operator === "Exists") {
    if (value) yield invalidValue(`${field}.operator`, value, "value must be empty when `operator` is 'Exists'");
  } else yield notSupported(`${field}.operator`, operator, ["Equal", "Exists"]);
  if (effect && !TAINT_EFFECTS.includes(effect)) yield notSupported(`${field}.effect`, effect, TAINT_EFFECTS);
}
