import { dns1035LabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { duplicate, type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas, AdmissionregistrationV1MutatingWebhook as Webhook } from "../generated/types.ts";
import { validateLabelSelector } from "../validation/label-selector.ts";
import { webhookEnvironment } from "./expressions.ts";
import { conditionProblems, ruleProblems } from "./matching.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/mutating-webhook-configuration-v1/ */
export type MutatingWebhookConfiguration = Schemas["io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration"];
export type ValidatingWebhookConfiguration =
  Schemas["io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration"];

const SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const FAILURE_POLICIES = ["Fail", "Ignore"];
const MATCH_POLICIES = ["Equivalent", "Exact"];
const REINVOCATIONS = ["IfNeeded", "Never"];
const MAX_TIMEOUT_S = 30;

const defaults = {
  "webhooks[].clientConfig.service.port": 443,
  "webhooks[].failurePolicy": "Fail",
  "webhooks[].matchPolicy": "Equivalent",
  "webhooks[].namespaceSelector": {},
  "webhooks[].objectSelector": {},
  "webhooks[].rules[].scope": "*",
  "webhooks[].timeoutSeconds": 10,
};

type Configuration = { webhooks?: readonly Omit<Webhook, "reinvocationPolicy">[] };

function* problems({ webhooks = [] }: Configuration): Iterable<FieldError> {
  const names = new Set<string>();
  for (const [index, webhook] of webhooks.entries()) {
    const path = `webhooks[${index}]`;
    yield* webhookProblems(webhook, path);
    yield* versionProblems(webhook.admissionReviewVersions ?? [], `${path}.admissionReviewVersions`);
    if (webhook.name && names.has(webhook.name)) yield duplicate(`${path}.name`, webhook.name);
    names.add(webhook.name);
  }
}

function* versionProblems(versions: readonly string[], path: string): Iterable<FieldError> {
  const known = REVIEW_VERSIONS.join(", ");
  if (!versions.length) {
    yield required(path, `must specify one of ${known}`);
    return;
  }
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    if (seen.has(version)) yield invalidValue(`${path}[${index}]`, version, "duplicate version");
    else for (const why of dns1035LabelProblems(version)) yield invalidValue(`${path}[${index}]`, version, why);
    seen.add(version);
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    yield invalidValue(path, versions, `must include at least one of ${known}`);
}

/** `reinvocationPolicy` is of mutating ones. */
type AnyWebhook = Omit<Webhook, "reinvocationPolicy"> & { reinvocationPolicy?: string };

function* webhookProblems(webhook: AnyWebhook, path: string): Iterable<FieldError> {
  const { name, sideEffects, timeoutSeconds, failurePolicy, matchPolicy, reinvocationPolicy } = webhook;
  yield* nameProblems(name, `${path}.name`);
  for (const [index, rule] of (webhook.rules ?? []).entries()) yield* ruleProblems(rule, `${path}.rules[${index}]`);
  if (failurePolicy !== undefined && !FAILURE_POLICIES.includes(failurePolicy))
    yield notSupported(`${path}.failurePolicy`, failurePolicy, FAILURE_POLICIES);
  if (matchPolicy !== undefined && !MATCH_POLICIES.includes(matchPolicy))
    yield notSupported(`${path}.matchPolicy`, matchPolicy, MATCH_POLICIES);
  if (!sideEffects) yield required(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(", ")}`);
  else if (!SIDE_EFFECTS.includes(sideEffects)) yield notSupported(`${path}.sideEffects`, sideEffects, SIDE_EFFECTS);
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > MAX_TIMEOUT_S))
    yield invalidValue(
      `${path}.timeoutSeconds`,
      timeoutSeconds,
      `the timeout value must be between 1 and ${MAX_TIMEOUT_S} seconds`,
    );
  yield* validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`);
  yield* validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`);
  if (reinvocationPolicy !== undefined && !REINVOCATIONS.includes(reinvocationPolicy))
    yield notSupported(`${path}.reinvocationPolicy`, reinvocationPolicy, REINVOCATIONS);
  yield* clientProblems(webhook.clientConfig ?? {}, `${path}.clientConfig`);
  yield* conditionProblems(webhook.matchConditions ?? [], `${path}.matchConditions`, webhookEnvironment);
}

export function* clientProblems({ url, service }: Webhook["clientConfig"], path: string): Iterable<FieldError> {
  if ((url === undefined) === (service === undefined))
    yield required(path, "exactly one of url or service is required");
  else if (url !== undefined) yield* urlProblems(url, `${path}.url`);
  else if (service) yield* serviceProblems(service, `${path}.service`);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#url */
function* urlProblems(text: string, path: string): Iterable<FieldError> {
  const form = "; desired format: https://host[/path]";
  if (text.startsWith(":")) {
    yield required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: missing protocol scheme${form}`);
    return;
  }
  const [, scheme = "", user, host = "", query, fragment] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^@/?#]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ??
    [];
  if (scheme.toLowerCase() !== "https")
    yield invalidValue(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`);
  if (!host) yield invalidValue(path, host, `host must be specified${form}`);
  if (user !== undefined) yield invalidValue(path, user, "user information is not permitted in the URL");
  if (fragment) yield invalidValue(path, fragment, "fragments are not permitted in the URL");
  if (query) yield invalidValue(path, query, "query parameters are not permitted in the URL");
}

type Service = NonNullable<Webhook["clientConfig"]["service"]>;

function* serviceProblems({ name, namespace, path, port }: Service, at: string): Iterable<FieldError> {
  // kube-apiserver names each of the two where the other is missing.
  if (!namespace) yield required(`${at}.name`);
  if (!name) yield required(`${at}.namespace`);
  if (port !== undefined && (port < 1 || port > 65_535))
    yield invalidValue(`${at}.port`, port, `port is not valid: must be between 1 and 65535, inclusive`);
  if (!path || path === "/") return;
  const wrong = (why: string) => invalidValue(`${at}.path`, path, why);
  if (!path.startsWith("/")) yield wrong("must start with a '/'");
  const steps = path.slice(1).replace(/\/$/, "").split("/");
  for (const [index, step] of steps.entries()) {
    if (step === "") {
      yield wrong(`segment[${index}] may not be empty`);
      continue;
    }
    for (const why of dnsSubdomainProblems(step)) yield wrong(`segment[${index}]: ${why}`);
  }
}

function* nameProblems(name: string, path: string): Iterable<FieldError> {
  if (!name) {
    yield required(path);
    return;
  }
  const wrong = dnsSubdomainProblems(name);
  if (wrong.length) yield invalidValue(path, name, wrong.join(","));
  else if (name.split(".").length < 3)
    yield invalidValue(path, name, "should be a domain with at least three segments separated by dots");
}

const webhooksColumn = {
  name: "Webhooks",
  type: "integer" as const,
  value: ({ webhooks = [] }: Configuration) => webhooks.length,
};

export const MutatingWebhookConfiguration = defineKind({
  schema: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
  defaults: { ...defaults, "webhooks[].reinvocationPolicy": "Never" },
  validate: problems,
  columns: [nameColumn, webhooksColumn, ageColumn],
});

export const ValidatingWebhookConfiguration = defineKind({
  schema: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
  defaults,
  validate: problems,
  columns: [nameColumn, webhooksColumn, ageColumn],
});
