/**
 * May they? SubjectAccessReview and its kin, and what one may do at all.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
import { labelValueProblems } from "../../lib/names.ts";
import { parseFieldSelector, parseLabelSelector } from "../../lib/selector-parser.ts";
import { badRequest, type FieldError, invalid } from "../../lib/status.ts";
import type { User } from "../request.ts";
import { nodeOf } from "./node-authorizer.ts";
import {
  type AccessSpec,
  accessProblems,
  localProblems,
  metadataProblems,
  type Selector,
} from "./review-validation.ts";
import { type Attributes, aggregate } from "./rules.ts";
import type { Context, Question, Virtual } from "./virtual.ts";

/** What of a selector the authorizers can hold against rules; the rest is left out, and said to be. */
type Understood = { text: string; problem?: string };

function understood(field: string, kept: readonly string[], isWhole: boolean): Understood {
  const text = kept.join(",");
  if (isWhole) return { text };
  const how = text ? "partially ignored" : "ignored";
  return { text, problem: `spec.resourceAttributes.${field} ${how} due to parse error` };
}

function fieldSelector({ rawSelector, requirements = [] }: Selector): Understood {
  if (!requirements.length) {
    try {
      parseFieldSelector(rawSelector ?? "");
      return { text: rawSelector ?? "" };
    } catch {
      return understood("fieldSelector", [], false);
    }
  }
  const OPERATORS: Readonly<Record<string, string>> = { In: "=", NotIn: "!=" };
  const kept = requirements.flatMap(({ key, operator = "", values = [] }) =>
    OPERATORS[operator] && values.length === 1 ? `${key}${OPERATORS[operator]}${values[0]}` : [],
  );
  return understood("fieldSelector", kept, kept.length === requirements.length);
}

function labelSelector({ rawSelector, requirements = [] }: Selector): Understood {
  if (!requirements.length) {
    try {
      parseLabelSelector(rawSelector ?? "");
      return { text: rawSelector ?? "" };
    } catch {
      return understood("labelSelector", [], false);
    }
  }
  const kept = requirements.filter(
    ({ operator = "", values = [] }) =>
      LABEL_OPERATORS.includes(operator) && values.every((value) => labelValueProblems(value).length === 0),
  );
  return understood(
    "labelSelector",
    kept.map(({ key = "" }) => key),
    kept.length === requirements.length,
  );
}

const LABEL_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"];

/** What is asked, and what of it could not be understood. */
function attributesOf(spec: AccessSpec): { attributes: Attributes; problems: string[] } {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (!resource) return { attributes: { type: "path", verb: path?.verb ?? "", path: path?.path ?? "" }, problems: [] };
  const fields: Understood = resource.fieldSelector ? fieldSelector(resource.fieldSelector) : { text: "" };
  const labels: Understood = resource.labelSelector ? labelSelector(resource.labelSelector) : { text: "" };
  const { verb = "", group = "", version = "", subresource = "", namespace = "", name = "" } = resource;
  const place = { verb, group, version, resource: resource.resource ?? "", subresource, namespace, name };
  return {
    attributes: { type: "resource", ...place, fieldSelector: fields.text },
    problems: [fields, labels].flatMap(({ problem }) => problem ?? []),
  };
}

function checkedSpec({ object, kind }: Question, problems: (spec: AccessSpec) => Iterable<FieldError>): AccessSpec {
  const spec = (object.spec ?? {}) as AccessSpec;
  const found = [...problems(spec)];
  // Upstream names no kind here, and neither does this.
  if (found.length) throw invalid({ group: kind.group, kind: "", name: "" }, found);
  return spec;
}

function answer({ authorizer }: Context, { object }: Question, user: User, spec: AccessSpec): object {
  const { attributes, problems } = attributesOf(spec);
  const { allowed, reason } = authorizer(user, attributes);
  const evaluationError = problems.join("; ");
  return { ...object, status: { allowed, ...(reason && { reason }), ...(evaluationError && { evaluationError }) } };
}

const subjectOf = (spec: AccessSpec): User => ({
  name: spec.user ?? "",
  groups: spec.groups ?? [],
  ...(spec.uid && { uid: spec.uid }),
  ...(spec.extra && { extra: spec.extra }),
});

export const selfSubjectAccessReview: Virtual = (context, question) => {
  const { metadata } = question.object;
  const spec = checkedSpec(question, (spec) => [...accessProblems(spec, false), ...metadataProblems(metadata, false)]);
  return answer(context, question, question.user, spec);
};

export const subjectAccessReview: Virtual = (context, question) => {
  const { metadata } = question.object;
  const spec = checkedSpec(question, (spec) => [...accessProblems(spec, true), ...metadataProblems(metadata, false)]);
  return answer(context, question, subjectOf(spec), spec);
};

export const localSubjectAccessReview: Virtual = (context, question) => {
  const { namespace, object } = question;
  const spec = checkedSpec(question, (spec) => [
    ...accessProblems(spec, true),
    ...metadataProblems(object.metadata, true),
    ...localProblems(spec, namespace),
  ]);
  return answer(context, question, subjectOf(spec), spec);
};

export const selfSubjectRulesReview: Virtual = ({ rbac }, { object, user }) => {
  const namespace = (object.spec as { namespace?: string } | undefined)?.namespace ?? "";
  if (!namespace) throw badRequest("no namespace on request");
  const { rules, errors } = rbac.rulesAndErrors(user, namespace);
  // What nodes may do depends on their pods.
  const isNode = nodeOf(user) !== undefined;
  const problems = isNode ? ["node authorizer does not support user rule resolution", ...errors] : errors;
  return {
    ...object,
    spec: {},
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
      incomplete: isNode,
      ...(problems.length && { evaluationError: aggregate(problems) }),
    },
  };
};
