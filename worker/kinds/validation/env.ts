import {
  configKeyProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  envNameProblems,
  maskTrailingDash,
  qualifiedNameProblems,
} from "../../lib/names.ts";
import { formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  CoreV1EnvFromSource,
  CoreV1EnvVar,
  CoreV1EnvVarSource,
  CoreV1FileKeySelector,
  CoreV1ObjectFieldSelector,
  CoreV1ResourceFieldSelector,
} from "../generated/types.ts";
import { invalidFor, type Problems, validateNoBacksteps } from "./fields.ts";

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
  if (fileKeyRef) yield* validateFileRef(fileKeyRef, `${field}.fileKeyRef`);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (!sources)
    yield invalidValue(
      field,
      "",
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
    );
  else if (variable.value) yield invalidValue(field, "", "may not be specified when `value` is not empty");
  else if (sources > 1) yield invalidValue(field, "", "may not have more than one field specified at a time");
}

function* validateKeyRef({ name, key }: { name?: string; key?: string }, field: string): Problems {
  yield* invalidFor(`${field}.name`, name ?? "", dnsSubdomainProblems(name ?? ""));
  if (!key) yield required(`${field}.key`);
  else yield* invalidFor(`${field}.key`, key, configKeyProblems(key));
}

function* validateFileRef(ref: CoreV1FileKeySelector, field: string): Problems {
  const { key, volumeName, path } = ref;
  if (!key) yield required(`${field}.key`);
  else yield* invalidFor(`${field}.key`, key, envNameProblems(key));
  if (!volumeName) yield required(`${field}.volumeName`);
  else yield* invalidFor(`${field}.volumeName`, volumeName, dnsLabelProblems(volumeName));
  if (!path) yield required(`${field}.path`);
  else yield* validateNoBacksteps(path, `${field}.path`);
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
  yield* validateDivisor(resource ?? "", ref.divisor ?? "0", `${field}.divisor`);
}

const BYTE_DIVISORS = ["1", ...["k", "M", "G", "T", "P", "E"], ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]].map(
  (unit, at) => (at ? `1${unit}` : unit),
);
const DIVISORS: readonly [pattern: RegExp, allowed: readonly string[], shown: string, name: string][] = [
  [/^(limits|requests)\.cpu$/, ["1m", "1"], "1m and 1", "cpu"],
  [/^(limits|requests)\.memory$/, BYTE_DIVISORS, BYTE_DIVISORS.join(", "), "memory"],
  [/^(limits|requests)\.ephemeral-storage$/, BYTE_DIVISORS, BYTE_DIVISORS.join(", "), "local ephemeral storage"],
  [/^(limits|requests)\.hugepages-/, BYTE_DIVISORS, BYTE_DIVISORS.join(", "), "hugepages"],
];

function* validateDivisor(resource: string, divisor: string, field: string): Problems {
  if (parseQuantity(divisor).nano === 0n) return;
  const shownAs = formatQuantity(parseQuantity(divisor));
  for (const [pattern, allowed, shown, name] of DIVISORS)
    if (pattern.test(resource) && !allowed.includes(shownAs))
      yield invalidValue(field, resource, `only divisor's values ${shown} are supported with the ${name} resource`);
}

export function* validateEnvFrom(sources: readonly CoreV1EnvFromSource[] | undefined, field: string): Problems {
  for (const [index, { prefix, configMapRef, secretRef }] of (sources ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (prefix) yield* invalidFor(`${at}.prefix`, prefix, envNameProblems(prefix));
    for (const [name, ref] of Object.entries({ configMapRef, secretRef })) {
      if (ref && !ref.name) yield required(`${at}.${name}.name`);
      else if (ref?.name)
        yield* invalidFor(`${at}.${name}.name`, ref.name, dnsSubdomainProblems(maskTrailingDash(ref.name)));
    }
    // The index is missing in these paths upstream, and clients see them so.
    if (!configMapRef && !secretRef)
      yield invalidValue(field, "", "must specify one of: `configMapRef` or `secretRef`");
    if (configMapRef && secretRef)
      yield invalidValue(field, "", "may not have more than one field specified at a time");
  }
}
