/** Which requests a FlowSchema means: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema */
import type { FlowSchema } from "../../kinds/flowcontrol/flow-schema.ts";
import type { PathInfo, RequestInfo, ResourceInfo } from "../http/request-info.ts";
import type { User } from "../request.ts";

type Rule = NonNullable<NonNullable<FlowSchema["spec"]>["rules"]>[number];
type Subject = Rule["subjects"][number];
type ResourceRule = NonNullable<Rule["resourceRules"]>[number];
type PathRule = NonNullable<Rule["nonResourceRules"]>[number];

const SERVICE_ACCOUNT = "system:serviceaccount:";

export const matchesSchema = (schema: Readonly<FlowSchema>, user: User, info: RequestInfo): boolean =>
  (schema.spec?.rules ?? []).some((rule) => matchesRule(rule, user, info));

function matchesRule({ subjects, resourceRules = [], nonResourceRules = [] }: Rule, user: User, info: RequestInfo) {
  if (!subjects.some((subject) => matchesSubject(subject, user))) return false;
  return info.type === "resource"
    ? resourceRules.some((rule) => matchesResource(rule, info))
    : nonResourceRules.some((rule) => matchesPath(rule, info));
}

function matchesSubject({ kind, user: named, group, serviceAccount: account }: Subject, user: User): boolean {
  if (kind === "User") return named !== undefined && (named.name === "*" || named.name === user.name);
  if (kind === "Group") return group !== undefined && (group.name === "*" || user.groups.includes(group.name));
  if (kind !== "ServiceAccount" || !account) return false;
  const prefix = `${SERVICE_ACCOUNT}${account.namespace}:`;
  return account.name === "*" ? user.name.startsWith(prefix) : user.name === prefix + account.name;
}

/** A wildcard counts only by itself, as upstream has it. */
const has = (list: readonly string[] | undefined, value: string): boolean =>
  (list?.length === 1 && list[0] === "*") || Boolean(list?.includes(value));

function matchesResource(rule: ResourceRule, info: ResourceInfo): boolean {
  const { verb, group, resource, subresource, namespace } = info;
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group)) return false;
  if (!has(rule.resources, subresource ? `${resource}/${subresource}` : resource)) return false;
  return namespace === "" ? Boolean(rule.clusterScope) : has(rule.namespaces, namespace);
}

function matchesPath({ verbs, nonResourceURLs }: PathRule, { verb, path }: PathInfo): boolean {
  return (
    has(verbs, verb) &&
    nonResourceURLs.some(
      (url) => url === "*" || url === path || path.startsWith(url.replace(/\*?$/, "").replace(/\/?$/, "/")),
    )
  );
}

/** What tells flows of one schema apart: the user, the namespace, or nothing. */
export function distinguisher({ spec }: Readonly<FlowSchema>, user: User, info: RequestInfo): string {
  const method = spec?.distinguisherMethod?.type;
  if (method === "ByUser") return user.name;
  return method === "ByNamespace" && info.type === "resource" ? info.namespace : "";
}
