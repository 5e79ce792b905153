import { qualifiedNameProblems } from "../../lib/names.ts";
import { compareQuantities, formatQuantity, isWhole, parseQuantity } from "../../lib/quantity.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Container, CoreV1ResourceRequirements } from "../generated/types.ts";
import { entries, invalidFor, NOT_NEGATIVE, notFoundField, type Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ */
const CONTAINER_RESOURCES = ["cpu", "memory", "ephemeral-storage"];
const STANDARD_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  ...["requests", "limits"].flatMap((side) => CONTAINER_RESOURCES.map((name) => `${side}.${name}`)),
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "storage",
  "requests.storage",
  "services.nodeports",
  "services.loadbalancers",
]);
const WHOLE_NUMBERS = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

const isHugePages = (name: string) => name.startsWith("hugepages-");
export const isStandardResource = (name: string): boolean =>
  STANDARD_RESOURCES.has(name) || isHugePages(name) || /^(requests|limits)\.hugepages-/.test(name);
const isNative = (name: string) => !name.includes("/") || name.includes("kubernetes.io/");

/** A device or other thing that is counted, named with a domain of its own. */
const isExtendedResource = (name: string): boolean =>
  !isNative(name) && !name.startsWith("requests.") && qualifiedNameProblems(`requests.${name}`).length === 0;

const mayOvercommit = (name: string) => isNative(name) && !isHugePages(name);

export function* validateResourceName(name: string, field: string): Problems {
  const problems = qualifiedNameProblems(name);
  yield* invalidFor(field, name, problems);
  if (!problems.length && !name.includes("/") && !isStandardResource(name))
    yield invalidValue(field, name, "must be a standard resource type or fully qualified");
}

export function* validateQuantity(name: string, text: string, field: string): Problems {
  const quantity = parseQuantity(String(text));
  if (quantity.nano < 0n) yield invalidValue(field, formatQuantity(quantity), NOT_NEGATIVE);
  if ((WHOLE_NUMBERS.has(name) || isExtendedResource(name)) && !isWhole(quantity))
    yield invalidValue(field, formatQuantity(quantity), "must be an integer");
}

function* validateContainerResourceName(name: string, field: string): Problems {
  yield* validateResourceName(name, field);
  if (!name.includes("/")) {
    if (!CONTAINER_RESOURCES.includes(name) && !isHugePages(name))
      yield invalidValue(field, name, "must be a standard resource for containers");
  } else if (!isNative(name) && !isExtendedResource(name))
    yield invalidValue(field, name, "doesn't follow extended resource name standard");
}

export function* validateRequirements(
  resources: CoreV1ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  field: string,
): Problems {
  const { limits, requests } = resources ?? {};
  for (const [name, amount] of entries(limits)) {
    yield* validateContainerResourceName(name, `${field}.limits[${name}]`);
    yield* validateQuantity(name, amount, `${field}.limits[${name}]`);
  }
  for (const [name, amount] of entries(requests)) {
    yield* validateContainerResourceName(name, `${field}.requests[${name}]`);
    yield* validateQuantity(name, amount, `${field}.requests[${name}]`);
    yield* validateRequest(name, amount, limits?.[name], field);
  }
  const names = Object.keys({ ...limits, ...requests });
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory"))
    yield forbiddenField(field, "HugePages require cpu or memory");
  for (const [index, claim] of (resources?.claims ?? []).entries()) {
    const at = `${field}.claims[${index}].name`;
    if (!claim.name) yield required(at);
    else if (!claims.has(claim.name)) yield notFoundField(at, claim.name);
  }
}

function* validateRequest(name: string, amount: string, limit: string | undefined, field: string): Problems {
  if (limit === undefined) {
    if (!mayOvercommit(name)) yield required(`${field}.limits`, "Limit must be set for non overcommitable resources");
    return;
  }
  const order = compareQuantities(parseQuantity(amount), parseQuantity(limit));
  const shown = formatQuantity(parseQuantity(limit));
  const request = formatQuantity(parseQuantity(amount));
  if (order !== 0 && !mayOvercommit(name))
    yield invalidValue(`${field}.requests`, request, `must be equal to ${name} limit of ${shown}`);
  else if (order > 0)
    yield invalidValue(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${shown}`);
}

const RESIZABLE = ["cpu", "memory"];
const RESIZE_POLICIES = ["NotRequired", "RestartContainer"];

export function* validateResizePolicy(policies: CoreV1Container["resizePolicy"], field: string): Problems {
  for (const [index, { resourceName, restartPolicy }] of (policies ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (!resourceName) yield required(at);
    else if (!RESIZABLE.includes(resourceName)) yield notSupported(at, resourceName, RESIZABLE);
    if (!restartPolicy) yield required(at);
    else if (!RESIZE_POLICIES.includes(restartPolicy)) yield notSupported(at, restartPolicy, RESIZE_POLICIES);
  }
}
