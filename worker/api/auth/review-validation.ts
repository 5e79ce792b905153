/**
 * What is wrong with the question whether somebody may do something.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
import { qualifiedNameProblems } from "../../lib/names.ts";
import type { ObjectMeta } from "../../lib/object.ts";
import { type FieldError, forbiddenField, invalidValue, required } from "../../lib/status.ts";

type Requirement = { key?: string; operator?: string; values?: string[] };
export type Selector = { rawSelector?: string; requirements?: Requirement[] };
export type ResourceSpec = {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  fieldSelector?: Selector;
  labelSelector?: Selector;
};
export type AccessSpec = {
  resourceAttributes?: ResourceSpec;
  nonResourceAttributes?: { path?: string; verb?: string };
  user?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
};

const bothOrNeither = "exactly one of nonResourceAttributes or resourceAttributes must be specified";

/** As upstream prints it: its internal type has no names for JSON. */
const printed = ({ path = "", verb = "" }: NonNullable<AccessSpec["nonResourceAttributes"]>) => ({
  Path: path,
  Verb: verb,
});

export function* accessProblems(spec: AccessSpec, needsSubject: boolean): Iterable<FieldError> {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (resource && path)
    yield invalidValue(
      "spec.nonResourceAttributes",
      printed(path),
      "cannot be specified in combination with resourceAttributes",
    );
  if (!resource && !path) yield invalidValue("spec.resourceAttributes", undefined, bothOrNeither);
  if (needsSubject && !spec.user && !spec.groups?.length)
    yield invalidValue("spec.user", "", "at least one of user or group must be specified");
  const field = "spec.resourceAttributes";
  yield* selectorProblems(
    resource?.fieldSelector,
    `${field}.fieldSelector`,
    (key) => key !== "",
    () => [],
  );
  yield* selectorProblems(resource?.labelSelector, `${field}.labelSelector`, () => true, qualifiedNameProblems);
}

export function* localProblems(
  { resourceAttributes, nonResourceAttributes }: AccessSpec,
  own: string,
): Iterable<FieldError> {
  const { namespace = "" } = resourceAttributes ?? {};
  if (resourceAttributes && namespace !== own)
    yield invalidValue("spec.resourceAttributes.namespace", namespace, "must match metadata.namespace");
  if (nonResourceAttributes)
    yield invalidValue(
      "spec.nonResourceAttributes",
      printed(nonResourceAttributes),
      "disallowed on this kind of request",
    );
}

function* selectorProblems(
  selector: Selector | undefined,
  field: string,
  isKey: (key: string) => boolean,
  keyProblems: (key: string) => readonly string[],
): Iterable<FieldError> {
  if (!selector) return;
  const { rawSelector = "", requirements = [] } = selector;
  if (rawSelector && requirements.length)
    yield invalidValue(`${field}.rawSelector`, rawSelector, "may not specified at the same time as requirements");
  if (!rawSelector && !requirements.length)
    yield required(`${field}.requirements`, `when ${field} is specified, requirements or rawSelector is required`);
  for (const [index, { key = "", operator = "", values = [] }] of requirements.entries()) {
    const at = `${field}.requirements[${index}]`;
    if (!isKey(key)) yield required(`${at}.key`, "must be specified");
    if (["In", "NotIn"].includes(operator) && !values.length)
      yield required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    if (["Exists", "DoesNotExist"].includes(operator) && values.length)
      yield forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    for (const why of keyProblems(key)) yield invalidValue(`${at}.key`, key, why);
  }
}

/** A question is about nothing that has a name; `local` ones have a namespace. */
export function* metadataProblems(metadata: ObjectMeta = {}, local: boolean): Iterable<FieldError> {
  const { managedFields: _, namespace, ...rest } = metadata;
  const isEmpty = Object.keys(rest).length === 0 && (local || !namespace);
  if (isEmpty) return;
  const { name, namespace: place, managedFields, ...more } = metadata;
  const ordered = { name, namespace: place, ...more, managedFields };
  yield invalidValue("metadata", ordered, local ? "must be empty except for namespace" : "must be empty");
}
