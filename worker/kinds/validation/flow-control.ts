import { dnsLabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  FlowcontrolV1FlowSchema,
  FlowcontrolV1PolicyRulesWithSubjects,
  FlowcontrolV1PriorityLevelConfiguration,
  FlowcontrolV1Subject,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/ */
const MAX_PRECEDENCE = 10_000;
const MAX_QUEUES = 10_000_000;
const MAX_HASH_BITS = 60;
const DISTINGUISHERS = ["ByNamespace", "ByUser"];
const SUBJECTS = ["Group", "ServiceAccount", "User"];
const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

export function* validateFlowSchema({ metadata, spec }: FlowcontrolV1FlowSchema): Problems {
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec ?? {};
  if (matchingPrecedence <= 0)
    yield invalidValue("spec.matchingPrecedence", matchingPrecedence, "must be a positive value");
  if (matchingPrecedence > MAX_PRECEDENCE)
    yield invalidValue("spec.matchingPrecedence", matchingPrecedence, `must not be greater than ${MAX_PRECEDENCE}`);
  if (matchingPrecedence === 1 && metadata?.name !== "exempt")
    yield invalidValue(
      "spec.matchingPrecedence",
      matchingPrecedence,
      "only the schema named 'exempt' may have matchingPrecedence 1",
    );
  if (distinguisherMethod && !DISTINGUISHERS.includes(distinguisherMethod.type))
    yield notSupported("spec.distinguisherMethod.type", { Type: distinguisherMethod.type }, DISTINGUISHERS);
  const level = priorityLevelConfiguration?.name;
  if (!level) yield required("spec.priorityLevelConfiguration.name", "must reference a priority level");
  else yield* invalidFor("spec.priorityLevelConfiguration.name", level, dnsSubdomainProblems(level));
  for (const [index, rule] of rules.entries()) yield* ruleProblems(rule, `spec.rules[${index}]`);
}

function* ruleProblems(rule: FlowcontrolV1PolicyRulesWithSubjects, field: string): Problems {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule;
  if (!subjects?.length) yield required(`${field}.subjects`, "subjects must contain at least one value");
  for (const [index, subject] of (subjects ?? []).entries())
    yield* subjectProblems(subject, `${field}.subjects[${index}]`);
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    yield required(field, "at least one of resourceRules and nonResourceRules has to be non-empty");
  for (const [index, { verbs, apiGroups, resources, clusterScope, namespaces }] of resourceRules.entries()) {
    const at = `${field}.resourceRules[${index}]`;
    yield* verbProblems(verbs, `${at}.verbs`);
    yield* wildcards(apiGroups, `${at}.apiGroups`, "resource rules must supply at least one api group", "api groups");
    yield* wildcards(resources, `${at}.resources`, "resource rules must supply at least one resource", "resources");
    const scoped = "resource rules that are not cluster scoped must supply at least one namespace";
    if (!clusterScope || namespaces?.length)
      yield* wildcards(namespaces ?? undefined, `${at}.namespaces`, scoped, "namespaces");
    if (namespaces?.includes("*")) continue;
    for (const [nameIndex, name] of (namespaces ?? []).entries())
      for (const why of dnsLabelProblems(name))
        yield invalidValue(
          `${at}.namespaces[${nameIndex}]`,
          name,
          `each member of this list must be '*' or a DNS-1123 label; ${why}`,
        );
  }
  for (const [index, { verbs, nonResourceURLs }] of nonResourceRules.entries()) {
    const at = `${field}.nonResourceRules[${index}]`;
    yield* verbProblems(verbs, `${at}.verbs`);
    yield* urlProblems(nonResourceURLs ?? [], `${at}.nonResourceURLs`);
  }
}

function* subjectProblems({ kind, user, group, serviceAccount }: FlowcontrolV1Subject, field: string): Problems {
  const only = { User: user, Group: group, ServiceAccount: serviceAccount };
  const names = { User: "user", Group: "group", ServiceAccount: "serviceAccount" } as const;
  if (!SUBJECTS.includes(kind)) return yield notSupported(`${field}.kind`, kind, SUBJECTS);
  for (const [other, value] of Object.entries(only)) {
    const at = `${field}.${names[other as keyof typeof names]}`;
    if (other === kind && !value)
      yield required(at, `${names[other as keyof typeof names]} is required when subject kind is '${kind}'`);
    else if (other === kind) yield* namedProblems(kind, value as { name?: string; namespace?: string }, at);
    else if (value)
      yield forbiddenField(
        at,
        `${names[other as keyof typeof names]} is forbidden when subject kind is not '${other}'`,
      );
  }
}

function* namedProblems(
  kind: string,
  { name, namespace }: { name?: string; namespace?: string },
  field: string,
): Problems {
  if (!name) yield required(`${field}.name`);
  if (kind !== "ServiceAccount") return;
  if (name && name !== "*") yield* invalidFor(`${field}.name`, name, dnsSubdomainProblems(name));
  if (namespace) yield* invalidFor(`${field}.namespace`, namespace, dnsLabelProblems(namespace));
  else yield required(`${field}.namespace`, "must specify namespace for service account");
}

function* wildcards(values: readonly string[] | undefined, field: string, missing: string, what: string): Problems {
  if (!values?.length) yield required(field, missing);
  else if (values.length > 1 && values.includes("*"))
    yield invalidValue(field, values, `if '*' is present, must not specify other ${what}`);
}

function* verbProblems(verbs: readonly string[] | undefined, field: string): Problems {
  yield* wildcards(verbs, field, "verbs must contain at least one value", "verbs");
  if (verbs?.length && !verbs.includes("*") && !verbs.every((verb) => VERBS.includes(verb)))
    yield notSupported(field, verbs, VERBS);
}

function* urlProblems(urls: readonly string[], field: string): Problems {
  yield* wildcards(urls, field, "nonResourceURLs must contain at least one value", "non-resource URLs");
  for (const [index, url] of urls.entries()) {
    const at = `${field}[${index}]`;
    if (url === "*" || url === "/") continue;
    if (url === "") yield invalidValue(at, url, "must not be empty");
    else if (!url.startsWith("/")) yield invalidValue(at, url, "must start with slash");
    else if (url.includes(" ")) yield invalidValue(at, url, "must not contain white-space");
    else if (url.includes("//")) yield invalidValue(at, url, "must not contain double slash");
    else if (url.slice(0, -1).includes("*") || (url.endsWith("*") && !url.endsWith("/*")))
      yield invalidValue(at, url, "wildcard can only do suffix matching");
  }
}

type Conditioned = { status?: { conditions?: readonly { type?: string }[] } };

/** Of schemas and levels alike. */
export function* validateFlowStatus({ status }: Conditioned): Problems {
  const types = new Set<string>();
  for (const [index, { type = "" }] of (status?.conditions ?? []).entries()) {
    const at = `status.conditions[${index}].type`;
    if (types.has(type)) yield duplicate(at, type);
    types.add(type);
    if (!type) yield required(at);
  }
}

export function* validatePriorityLevel({ metadata, spec }: FlowcontrolV1PriorityLevelConfiguration): Problems {
  yield* levelProblems(metadata?.name, spec);
  if (metadata?.name !== "exempt") return;
  const { exempt: _, ...fixed } = spec ?? {};
  if (!same(fixed, { type: "Exempt" }))
    yield invalidValue(
      "spec",
      goValue("flowcontrol.PriorityLevelConfigurationSpec", spec ?? {}),
      "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value",
    );
}

function* levelProblems(name: string | undefined, spec: FlowcontrolV1PriorityLevelConfiguration["spec"]): Problems {
  const { type = "", limited, exempt } = spec ?? {};
  if ((name === "exempt") !== (type === "Exempt"))
    yield invalidValue("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'");
  if (!["Exempt", "Limited"].includes(type)) return yield notSupported("spec.type", type, ["Exempt", "Limited"]);
  if (type === "Exempt") {
    if (limited) yield forbiddenField("spec.limited", "must be nil if the type is not Limited");
    yield* sharesProblems(exempt ?? {}, "spec.exempt");
    return yield* lendableProblems(exempt ?? {}, "spec.exempt");
  }
  if (exempt) yield forbiddenField("spec.exempt", "must be nil if the type is Limited");
  if (!limited) return yield required("spec.limited", "must not be empty when type is Limited");
  yield* sharesProblems(limited, "spec.limited");
  yield* responseProblems(limited.limitResponse, "spec.limited.limitResponse");
  yield* lendableProblems(limited, "spec.limited");
  const borrowing = limited.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0)
    yield invalidValue("spec.limited.borrowingLimitPercent", borrowing, "if specified, must be a non-negative integer");
}

type Shares = { nominalConcurrencyShares?: number; lendablePercent?: number };

function* sharesProblems({ nominalConcurrencyShares = 0 }: Shares, field: string): Problems {
  if (nominalConcurrencyShares < 0)
    yield invalidValue(`${field}.nominalConcurrencyShares`, nominalConcurrencyShares, "must be a non-negative integer");
}

function* lendableProblems({ lendablePercent = 0 }: Shares, field: string): Problems {
  if (lendablePercent < 0 || lendablePercent > 100)
    yield invalidValue(`${field}.lendablePercent`, lendablePercent, "must be between 0 and 100, inclusive");
}

type Response = NonNullable<NonNullable<FlowcontrolV1PriorityLevelConfiguration["spec"]>["limited"]>["limitResponse"];

function* responseProblems(response: Response, field: string): Problems {
  const { type = "", queuing } = response ?? {};
  if (type === "Reject") {
    if (queuing) yield forbiddenField(`${field}.queuing`, "must be nil if limited.limitResponse.type is not Limited");
    return;
  }
  if (type !== "Queue") return yield notSupported(`${field}.type`, type, ["Queue", "Reject"]);
  if (!queuing) return yield required(`${field}.queuing`, "must not be empty if limited.limitResponse.type is Limited");
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const at = (name: string) => `${field}.queuing.${name}`;
  if (queueLengthLimit <= 0) yield invalidValue(at("queueLengthLimit"), queueLengthLimit, "must be positive");
  if (queues <= 0) yield invalidValue(at("queues"), queues, "must be positive");
  else if (queues > MAX_QUEUES) yield invalidValue(at("queues"), queues, `must not be greater than ${MAX_QUEUES}`);
  if (handSize <= 0) yield invalidValue(at("handSize"), handSize, "must be positive");
  else if (handSize > queues)
    yield invalidValue(at("handSize"), handSize, `should not be greater than queues (${queues})`);
  else if (Math.ceil(Math.log2(queues) * handSize) > MAX_HASH_BITS)
    yield invalidValue(
      at("handSize"),
      handSize,
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`,
    );
}
