import { configKeyProblems, dnsSubdomainProblems, envNameProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  CoreV1EnvFromSource,
  CoreV1EnvVar,
  CoreV1EnvVarSource,
  CoreV1ObjectFieldSelector,
  CoreV1ResourceFieldSelector,
} from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ */
const ENV_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
export const VOLUME_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
const KNOWN_FIELDS = [
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
  "spec.host",
];
const RESOURCES = ["cpu", "ephemeral-storage", "memory"];
const RESOURCE_FIELDS = ["limits", "requests"].flatMap((side) => RESOURCES.map((name) => `${side}.${name}`));

export function* validateEnv(variables: readonly CoreV1EnvVar[] | undefined, field: string): Problems {
  for (const [index, variable] of (variables ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (!variable.name) yield required(`${at}.name`);
    else yield* invalidFor(`${at}.name`, variable.name, envNameProblems(variable.name));
    if (variable.valueFrom) yield* validateSource(variable, variable.valueFrom, `${at}.valueFrom`);
  }
}

function* validateSource(variable: CoreV1EnvVar, source: CoreV1EnvVarSource, field: string): Problems {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef) yield* validateFieldRef(fieldRef, ENV_FIELDS, `${field}.fieldRef`);
  if (resourceFieldRef) yield* validateResourceRef(resourceFieldRef, false, `${field}.resourceFieldRef`);
  if (configMapKeyRef) yield* validateKeyRef(configMapKeyRef, `${field}.configMapKeyRef`);
  if (secretKeyRef) yield* validateKeyRef(secretKeyRef, `${field}.secretKeyRef`);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (variable.value) {
    if (sources) yield invalidValue(field, "", "may not be specified when `value` is not empty");
  } else if (!sources)
    yield invalidValue(
      field,
      "",
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
    );
  else if (sources > 1) yield invalidValue(field, "", "may not have more than one field specified at a time");
}

function* validateKeyRef({ name, key }: { name?: string; key?: string }, field: string): Problems {
  if (!name) yield required(`${field}.name`);
  else yield* invalidFor(`${field}.name`, name, dnsSubdomainProblems(name));
  if (!key) yield required(`${field}.key`);
  else yield* invalidFor(`${field}.key`, key, configKeyProblems(key));
}

const SUBSCRIPTED = /^(.+)\['(.*)'\]$/;

export function* validateFieldRef(ref: CoreV1ObjectFieldSelector, allowed: readonly string[], field: string): Problems {
  const { apiVersion, fieldPath } = ref;
  if (!apiVersion) {
    yield required(`${field}.apiVersion`);
    return;
  }
  if (!fieldPath) {
    yield required(`${field}.fieldPath`);
    return;
  }
  const refused = (why: string): FieldError =>
    invalidValue(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`);
  if (apiVersion !== "v1") {
    yield refused(`unsupported pod version: ${apiVersion}`);
    return;
  }
  const [, owner, key = ""] = SUBSCRIPTED.exec(fieldPath) ?? [];
  if (owner === "metadata.annotations") yield* invalidFor(field, key, qualifiedNameProblems(key.toLowerCase()));
  else if (owner === "metadata.labels") yield* invalidFor(field, key, qualifiedNameProblems(key));
  else if (owner !== undefined) yield refused(`field label does not support subscript: ${fieldPath}`);
  else if (!KNOWN_FIELDS.includes(fieldPath)) yield refused(`field label not supported: ${fieldPath}`);
  else {
    const path = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath;
    if (!allowed.includes(path)) yield notSupported(`${field}.fieldPath`, path, allowed);
  }
}

export function* validateResourceRef(ref: CoreV1ResourceFieldSelector, inVolume: boolean, field: string): Problems {
  const { containerName, resource } = ref;
  if (inVolume && !containerName) yield required(`${field}.containerName`);
  else if (!resource) yield required(`${field}.resource`);
  else if (!RESOURCE_FIELDS.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource))
    yield notSupported(`${field}.resource`, resource, RESOURCE_FIELDS);
}

export function* validateEnvFrom(sources: readonly CoreV1EnvFromSource[] | undefined, field: string): Problems {
  for (const [index, { prefix, configMapRef, secretRef }] of (sources ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (prefix) yield* invalidFor(`${at}.prefix`, prefix, envNameProblems(prefix));
    if (configMapRef && !configMapRef.name) yield required(`${at}.configMapRef.name`);
    if (secretRef && !secretRef.name) yield required(`${at}.secretRef.name`);
    if (!configMapRef && !secretRef) yield invalidValue(at, "", "must specify one of: `configMapRef` or `secretRef`");
    if (configMapRef && secretRef) yield invalidValue(at, "", "may not have more than one field specified at a time");
  }
}
