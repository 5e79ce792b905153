/**
 * May they? SubjectAccessReview and its kin, and what one may do at all.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
import { badRequest, type FieldError, invalid, invalidValue } from "../../lib/status.ts";
import type { User } from "../request.ts";
import type { Attributes } from "./rules.ts";
import type { Context, Question, Virtual } from "./virtual.ts";

type Requirement = { key: string; operator: string; values?: string[] };
type ResourceSpec = {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  fieldSelector?: { rawSelector?: string; requirements?: Requirement[] };
};
type Spec = {
  resourceAttributes?: ResourceSpec;
  nonResourceAttributes?: { path?: string; verb?: string };
  user?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
};

function selectorText(selector: ResourceSpec["fieldSelector"]): string {
  if (selector?.rawSelector) return selector.rawSelector;
  const terms = (selector?.requirements ?? []).filter(({ operator }) => operator === "In");
  return terms.map(({ key, values }) => `${key}=${values?.[0] ?? ""}`).join(",");
}

function attributesOf(spec: Spec): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (!resource) return { type: "path", verb: path?.verb ?? "", path: path?.path ?? "" };
  return {
    type: "resource",
    verb: resource.verb ?? "",
    group: resource.group ?? "",
    version: resource.version ?? "",
    resource: resource.resource ?? "",
    subresource: resource.subresource ?? "",
    namespace: resource.namespace ?? "",
    name: resource.name ?? "",
    fieldSelector: selectorText(resource.fieldSelector),
  };
}

const bothOrNeither = "exactly one of nonResourceAttributes or resourceAttributes must be specified";

function* problems(spec: Spec, needsSubject: boolean): Iterable<FieldError> {
  if (spec.resourceAttributes && spec.nonResourceAttributes)
    yield invalidValue(
      "spec.nonResourceAttributes",
      spec.nonResourceAttributes,
      "cannot be specified in combination with resourceAttributes",
    );
  if (!spec.resourceAttributes && !spec.nonResourceAttributes)
    yield invalidValue("spec.resourceAttributes", undefined, bothOrNeither);
  if (needsSubject && !spec.user && !spec.groups?.length)
    yield invalidValue("spec.user", "", "at least one of user or group must be specified");
}

function checkedSpec(question: Question, needsSubject: boolean): Spec {
  const spec = (question.object.spec ?? {}) as Spec;
  const found = [...problems(spec, needsSubject)];
  // Upstream names no kind here, and neither does this.
  if (found.length) throw invalid({ group: question.kind.group, kind: "", name: "" }, found);
  return spec;
}

function answer({ authorizer }: Context, question: Question, user: User, spec: Spec): object {
  const { allowed, reason } = authorizer(user, attributesOf(spec));
  return { ...question.object, status: { allowed, ...(reason && { reason }) } };
}

const subjectOf = (spec: Spec): User => ({
  name: spec.user ?? "",
  groups: spec.groups ?? [],
  ...(spec.uid && { uid: spec.uid }),
  ...(spec.extra && { extra: spec.extra }),
});

export const selfSubjectAccessReview: Virtual = (context, question) =>
  answer(context, question, question.user, checkedSpec(question, false));

export const subjectAccessReview: Virtual = (context, question) => {
  const spec = checkedSpec(question, true);
  return answer(context, question, subjectOf(spec), spec);
};

export const localSubjectAccessReview: Virtual = (context, question) => {
  const spec = checkedSpec(question, true);
  if (!spec.resourceAttributes)
    throw invalid({ group: question.kind.group, kind: "", name: "" }, [
      invalidValue("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request"),
    ]);
  if (spec.resourceAttributes.namespace !== question.namespace)
    throw badRequest(
      `spec.resourceAttributes.namespace must match namespace: ${spec.resourceAttributes.namespace ?? ""}`,
    );
  return answer(context, question, subjectOf(spec), spec);
};

export const selfSubjectRulesReview: Virtual = ({ rbac }, { object, user }) => {
  const namespace = (object.spec as { namespace?: string } | undefined)?.namespace ?? "";
  if (!namespace) throw badRequest("no namespace on request");
  const rules = rbac.rulesFor(user, namespace);
  return {
    ...object,
    status: {
      resourceRules: rules
        .filter((rule) => rule.resources?.length)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...(resourceNames?.length && { resourceNames }),
        })),
      nonResourceRules: rules
        .filter((rule) => rule.nonResourceURLs?.length)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
    },
  };
};
