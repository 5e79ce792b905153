import { dnsSubdomainProblems } from "../../lib/names.ts";
import { duplicate, type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas, AdmissionregistrationV1MutatingWebhook as Webhook } from "../generated/types.ts";
import { conditionProblems, webhookCondition } from "./expressions.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/mutating-webhook-configuration-v1/ */
export type MutatingWebhookConfiguration = Schemas["io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration"];
export type ValidatingWebhookConfiguration =
  Schemas["io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration"];

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const SCOPES = ["*", "Cluster", "Namespaced"];
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
    if (names.has(webhook.name)) yield duplicate(`${path}.name`, webhook.name);
    names.add(webhook.name);
    yield* webhookProblems(webhook, path);
  }
}

function* webhookProblems(webhook: Omit<Webhook, "reinvocationPolicy">, path: string): Iterable<FieldError> {
  const { name, sideEffects, timeoutSeconds, failurePolicy, matchPolicy } = webhook;
  yield* nameProblems(name, `${path}.name`);
  const versions = webhook.admissionReviewVersions ?? [];
  if (!versions.length)
    yield required(`${path}.admissionReviewVersions`, `must specify one of ${REVIEW_VERSIONS.join(", ")}`);
  else if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    yield invalidValue(
      `${path}.admissionReviewVersions`,
      versions,
      `must include at least one of ${REVIEW_VERSIONS.join(", ")}`,
    );
  yield* conditionProblems(webhook.matchConditions ?? [], `${path}.matchConditions`, webhookCondition);
  for (const [index, rule] of (webhook.rules ?? []).entries()) yield* ruleProblems(rule, `${path}.rules[${index}]`);
  if (!sideEffects) yield required(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(", ")}`);
  else if (!SIDE_EFFECTS.includes(sideEffects)) yield notSupported(`${path}.sideEffects`, sideEffects, SIDE_EFFECTS);
  if (failurePolicy && !["Fail", "Ignore"].includes(failurePolicy))
    yield notSupported(`${path}.failurePolicy`, failurePolicy, ["Fail", "Ignore"]);
  if (matchPolicy && !["Equivalent", "Exact"].includes(matchPolicy))
    yield notSupported(`${path}.matchPolicy`, matchPolicy, ["Equivalent", "Exact"]);
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > MAX_TIMEOUT_S))
    yield invalidValue(
      `${path}.timeoutSeconds`,
      timeoutSeconds,
      `the timeout value must be between 1 and ${MAX_TIMEOUT_S} seconds`,
    );
  const { url, service } = webhook.clientConfig ?? {};
  if ((url === undefined) === (service === undefined))
    yield required(`${path}.clientConfig`, "exactly one of url or service is required");
  else if (url !== undefined && !/^https:\/\/[^/]/.test(url))
    yield invalidValue(`${path}.clientConfig.url`, url, "'https' is the only allowed URL scheme");
  else if (service && !service.name) yield required(`${path}.clientConfig.service.name`, "service name is required");
  else if (service && !service.namespace)
    yield required(`${path}.clientConfig.service.namespace`, "service namespace is required");
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

type Rule = NonNullable<Webhook["rules"]>[number];

function* ruleProblems(rule: Rule, path: string): Iterable<FieldError> {
  for (const field of ["operations", "apiGroups", "apiVersions", "resources"] as const) {
    const values = rule[field] ?? [];
    if (!values.length) yield required(`${path}.${field}`);
    else if (values.length > 1 && values.includes("*"))
      yield invalidValue(
        `${path}.${field}`,
        values,
        field === "operations"
          ? "if '*' is present, must not specify other operations"
          : `if '*' is present, must not specify other ${field === "apiGroups" ? "API groups" : field === "apiVersions" ? "API versions" : "resources"}`,
      );
  }
  for (const [index, operation] of (rule.operations ?? []).entries())
    if (!OPERATIONS.includes(operation)) yield notSupported(`${path}.operations[${index}]`, operation, OPERATIONS);
  if (rule.scope && !SCOPES.includes(rule.scope)) yield notSupported(`${path}.scope`, rule.scope, SCOPES);
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
