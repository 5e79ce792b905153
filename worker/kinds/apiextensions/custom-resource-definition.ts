import { dns1035LabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { clientProblems } from "../admissionregistration/webhook-configurations.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { approvalOf, approvalProblems } from "./approval.ts";
import { versionsProblems } from "./versions.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/ */
export type CustomResourceDefinition =
  Schemas["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"];

type Spec = CustomResourceDefinition["spec"];

const SCOPES = ["Cluster", "Namespaced"];
const STRATEGIES = ["None", "Webhook"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];

/** Holds a definition that is being deleted until its objects are gone. */
export const CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io";

export const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True") ?? false;

/** None at all is refused, but only by validation. */
const versionsOf = (spec: Spec): readonly Spec["versions"][number][] => spec.versions ?? [];

/** Versions that were ever written stay known until somebody has rewritten all objects. */
function noteStorageVersion(definition: CustomResourceDefinition): void {
  const stored = definition.status?.storedVersions ?? [];
  const storage = versionsOf(definition.spec).find((version) => version.storage)?.name;
  if (storage !== undefined && !stored.includes(storage))
    definition.status = { ...definition.status, storedVersions: [...stored, storage] };
}

export const CustomResourceDefinition = defineKind({
  schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  defaults: { "spec.conversion": { strategy: "None" }, "spec.conversion.webhook.clientConfig.service.port": 443 },
  default({ spec }) {
    const { names } = spec ?? {};
    if (!names?.kind) return;
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  },
  prepareForCreate: noteStorageVersion,
  prepareForUpdate(definition, _old, subresource) {
    if (subresource === "") noteStorageVersion(definition);
  },
  *validate(definition) {
    const { spec, status } = definition;
    yield* groupProblems(spec);
    if (!SCOPES.includes(spec.scope))
      yield spec.scope ? notSupported("spec.scope", spec.scope, SCOPES) : required("spec.scope");
    yield* versionsProblems(spec);
    for (const field of ["plural", "singular", "kind", "listKind"] as const)
      if (!spec.names[field]) yield required(`spec.names.${field}`);
    yield* namesProblems(spec.names, "spec.names");
    if (status?.acceptedNames) yield* namesProblems(status.acceptedNames, "status.acceptedNames");
    yield* conversionProblems(spec);
    if (spec.preserveUnknownFields)
      yield invalidValue(
        "spec.preserveUnknownFields",
        true,
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      );
  },
  *validateCreate(definition) {
    const { spec, metadata } = definition;
    if (metadata.name !== `${spec.names?.plural}.${spec.group}`)
      yield invalidValue("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group');
    yield* storedProblems(definition);
    yield* approvalProblems(spec.group, metadata.annotations);
  },
  *validateUpdate(definition, old, subresource) {
    if (subresource) return;
    yield* storedProblems(definition);
    const { spec, metadata } = definition;
    const { state } = approvalOf(metadata.annotations);
    if (approvalOf(old.metadata.annotations).state !== state) yield* approvalProblems(spec.group, metadata.annotations);
    const unchanged = (path: string, value: unknown, before: unknown) =>
      same(value, before) ? [] : [invalidValue(path, value, "field is immutable")];
    if (isEstablished(old)) {
      yield* unchanged("spec.scope", spec.scope, old.spec.scope);
      yield* unchanged("spec.names.kind", spec.names.kind, old.spec.names.kind);
    }
    yield* unchanged("spec.group", spec.group, old.spec.group);
    yield* unchanged("spec.names.plural", spec.names.plural, old.spec.names.plural);
  },
  columns: [nameColumn, createdColumn],
});

function* groupProblems({ group }: Spec): Iterable<FieldError> {
  if (!group) yield required("spec.group");
  else {
    const problems = dnsSubdomainProblems(group);
    if (problems.length) yield invalidValue("spec.group", group, problems.join(","));
    else if (!group.includes(".")) yield invalidValue("spec.group", group, "should be a domain with at least one dot");
  }
}

function* namesProblems(names: Spec["names"], path: string): Iterable<FieldError> {
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names;
  const label = (field: string, value: string, tested = value, before = "") => {
    const problems = value ? dns1035LabelProblems(tested) : [];
    return problems.length ? [invalidValue(`${path}.${field}`, value, before + problems.join(","))] : [];
  };
  const mixed = "may have mixed case, but should otherwise match: ";
  yield* label("plural", plural);
  yield* label("singular", singular ?? "");
  yield* label("kind", kind, kind?.toLowerCase(), mixed);
  yield* label("listKind", listKind ?? "", listKind?.toLowerCase(), mixed);
  for (const [index, name] of shortNames.entries()) yield* label(`shortNames[${index}]`, name);
  if (kind && kind === listKind)
    yield invalidValue(`${path}.listKind`, listKind, "kind and listKind may not be the same");
  for (const [index, name] of categories.entries()) yield* label(`categories[${index}]`, name);
}

function* conversionProblems({ conversion }: Spec): Iterable<FieldError> {
  if (!conversion) return;
  const at = "spec.conversion";
  const { strategy, webhook } = conversion;
  if (!strategy) yield required(`${at}.strategy`);
  else if (!STRATEGIES.includes(strategy)) yield notSupported(`${at}.strategy`, strategy, STRATEGIES);
  if (strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (webhook?.clientConfig) yield forbiddenField(`${at}.webhookClientConfig`, why);
    if (webhook?.conversionReviewVersions?.length) yield forbiddenField(`${at}.conversionReviewVersions`, why);
    return;
  }
  if (!webhook?.clientConfig) yield required(`${at}.webhookClientConfig`, "required when strategy is set to Webhook");
  else yield* clientProblems(webhook.clientConfig, `${at}.webhookClientConfig`);
  yield* reviewVersionProblems(webhook?.conversionReviewVersions ?? [], `${at}.conversionReviewVersions`);
}

function* reviewVersionProblems(versions: readonly string[], at: string): Iterable<FieldError> {
  if (!versions.length) {
    yield required(at);
    return;
  }
  for (const [index, version] of versions.entries())
    if (versions.indexOf(version) < index) yield invalidValue(`${at}[${index}]`, version, "duplicate version");
    else for (const why of dns1035LabelProblems(version)) yield invalidValue(`${at}[${index}]`, version, why);
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    yield invalidValue(at, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`);
}

function* storedProblems({ spec, status }: CustomResourceDefinition): Iterable<FieldError> {
  const known = versionsOf(spec).map(({ name }) => name);
  const stored = status?.storedVersions ?? [];
  const at = "status.storedVersions";
  if (!stored.length) {
    yield invalidValue(at, null, "must have at least one stored version");
    return;
  }
  for (const { name, storage } of versionsOf(spec))
    if (storage && !stored.includes(name)) yield invalidValue(at, stored, `must have the storage version ${name}`);
  for (const [index, version] of stored.entries())
    if (!known.includes(version))
      yield invalidValue(
        `${at}[${index}]`,
        version,
        `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
      );
}
