/**
 * Label selectors: what they match and how they print. `selector-parser.ts` reads them from text.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export type LabelSelector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
};
export type Labels = Readonly<Record<string, string>>;

export type Operator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";
export type Requirement = { key: string; operator: Operator; values: readonly string[] };

/** The selector has an error; the message is apimachinery's and goes into a 400. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

export function matchesRequirement({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, key);
  const value = has ? (labels[key] ?? "") : "";
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return has && values.includes(value);
    case "!=":
    case "notin":
      return !has || !values.includes(value);
    case "exists":
      return has;
    case "!":
      return !has;
    case "gt":
      return has && /^[-+]?[0-9]+$/.test(value) && BigInt(value) > BigInt(values[0] ?? "0");
    case "lt":
      return has && /^[-+]?[0-9]+$/.test(value) && BigInt(value) < BigInt(values[0] ?? "0");
  }
}

export const matchesRequirements = (all: readonly Requirement[], labels: Labels | undefined): boolean =>
  all.every((requirement) => matchesRequirement(requirement, labels));

const expressionOperators: Record<string, Operator> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** A LabelSelector as requirements, sorted by key. Throws `SelectorError` on an operator it does not know. */
function selectorRequirements(selector: LabelSelector): Requirement[] {
  const equal = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: "=", values: [value] }),
  );
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }): Requirement => {
    const known = expressionOperators[operator];
    if (!known) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    return { key, operator: known, values: values ?? [] };
  });
  return [...equal, ...expressions].sort(byKey);
}

const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** An absent selector matches nothing, an empty one everything. */
export function matchesSelector(selector: LabelSelector | null | undefined, labels: Labels | undefined): boolean {
  return matcher(selector)(labels);
}

/** The same for many labels: the selector is read once. */
export function matcher(selector: LabelSelector | null | undefined): (labels: Labels | undefined) => boolean {
  if (!selector) return () => false;
  const requirements = selectorRequirements(selector);
  return (labels) => matchesRequirements(requirements, labels);
}

/** Every pair of `wanted` is in `labels`: the selectors of Services and ReplicationControllers, nodeSelector. */
export function matchesLabels(wanted: Labels | null | undefined, labels: Labels | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => labels?.[key] === value);
}

/** The text of a selector: `app=web,tier in (a,b),!old`. */
export const formatRequirements = (all: readonly Requirement[]): string => all.map(formatRequirement).join(",");

function formatRequirement({ key, operator, values }: Requirement): string {
  const sorted = [...values].sort();
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${sorted.join(",")})`;
    case "gt":
      return `${key}>${sorted.join(",")}`;
    case "lt":
      return `${key}<${sorted.join(",")}`;
    default:
      return `${key}${operator}${sorted.join(",")}`;
  }
}

/** What Tables and the scale subresource show; `<none>` for an empty or absent selector in Tables. */
export function formatSelector(selector: LabelSelector | null | undefined): string {
  return selector ? formatRequirements(selectorRequirements(selector)) : "";
}
/** Pairs sorted by key: `a=1,b=2`. */
export function formatLabels(labels: Labels | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}
