import { Namespace } from "../../../kinds/core/namespace.ts";
import type { Kind } from "../../../kinds/kind.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { matchesSelector } from "../../../lib/selectors.ts";
import type { Operation } from "../../engine/operation.ts";
import type { Hook } from "./hooks.ts";

/**
 * Whether a webhook is asked about a write, and under which version it wants to see the object.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
 */
export function kindFor(matching: Matching, operation: Operation): Kind | undefined {
  if (isExempt(operation.kind)) return undefined;
  const kind = matchedVersion(matching, operation);
  return kind && matchesNamespace(matching, operation) && matchesObject(matching, operation) ? kind : undefined;
}

/** As webhooks say which writes they are for; policies say the same in other fields. */
export type Matching = Pick<Hook, "matchPolicy" | "rules" | "namespaceSelector" | "objectSelector">;

/** Webhooks have no say in what could shut them out. */
const isExempt = ({ group }: Kind): boolean => group === "admissionregistration.k8s.io";

/** The version of the object that a rule is for; another than the request's only where the policy is Equivalent. */
export function matchedVersion(hook: Pick<Matching, "matchPolicy" | "rules">, operation: Operation): Kind | undefined {
  const { kind, core } = operation;
  const versions = hook.matchPolicy === "Exact" ? [kind] : [kind, ...core.kinds.versions(kind.groupResource)];
  return versions.find((version) => hook.rules?.some((rule) => matchesRule(rule, version, operation)));
}

type Rule = NonNullable<Hook["rules"]>[number];

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list?.includes("*") || list?.includes(value) || false;

export function matchesRule(rule: Rule, kind: Kind, { action, subresource, namespace }: Operation): boolean {
  const scope = rule.scope ?? "*";
  // A Namespace is in none, though its requests name one.
  const isNamespaced = kind.namespaced && namespace !== "";
  return (
    has(rule.operations, action) &&
    has(rule.apiGroups, kind.group) &&
    has(rule.apiVersions, kind.version) &&
    (scope === "*" || (scope === "Namespaced") === isNamespaced) &&
    (rule.resources ?? []).some((resource) => matchesResource(resource, kind.resource, subresource))
  );
}

// `pods` and `*` mean no subresource; `pods/*` all of them and `*/*` everything with one or none.
function matchesResource(pattern: string, resource: string, subresource: string): boolean {
  const [main = "", sub = ""] = pattern.split("/");
  return (main === "*" || main === resource) && (sub === "*" || sub === subresource);
}

function matchesNamespace({ namespaceSelector }: Pick<Hook, "namespaceSelector">, operation: Operation): boolean {
  const { kind, namespace, core, object, action } = operation;
  const isNamespace = kind.groupResource === Namespace.groupResource;
  if (!isNamespace && !namespace) return true;
  const of = isNamespace && action !== "DELETE" ? object : core.view.get(Namespace, "", namespace || operation.name);
  return matchesSelector(namespaceSelector ?? {}, of?.metadata?.labels);
}

function matchesObject({ objectSelector }: Pick<Hook, "objectSelector">, { object, old }: Operation): boolean {
  const matches = (candidate: Readonly<KubeObject> | undefined) =>
    candidate !== undefined && matchesSelector(objectSelector ?? {}, candidate.metadata?.labels);
  return matches(object) || matches(old);
}
