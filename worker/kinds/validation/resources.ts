import { dnsLabelProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { compareQuantities, formatQuantity, isWhole, parseQuantity } from "../../lib/quantity.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
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

export const mayOvercommit = (name: string) => isNative(name) && !isHugePages(name);

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

export function* validateContainerResourceName(name: string, field: string): Problems {
  yield* validateResourceName(name, field);
  if (!name.includes("/")) {
    if (!CONTAINER_RESOURCES.includes(name) && !isHugePages(name))
      yield invalidValue(field, name, "must be a standard resource for containers");
  } else if (!isNative(name) && !isExtendedResource(name))
    yield invalidValue(field, name, "doesn't follow extended resource name standard");
}

const POD_RESOURCES = ["cpu", "hugepages-", "memory"];

function* validatePodResourceName(name: string, field: string): Problems {
  const problems = [...validateResourceName(name, field)];
  yield* problems;
  if (!problems.length && !POD_RESOURCES.includes(name) && !isHugePages(name))
    yield notSupported(field, name, POD_RESOURCES);
}

/** A number of whole pages, each of the size that the name tells. */
function* validatePages(name: string, amount: string, field: string): Problems {
  if (!isHugePages(name)) return;
  let size = 0n;
  try {
    size = parseQuantity(name.slice("hugepages-".length)).nano;
  } catch {
    // A size that cannot be read divides nothing.
  }
  const { nano } = parseQuantity(amount);
  if (size === 0n || nano % size !== 0n)
    yield invalidValue(
      field,
      formatQuantity(parseQuantity(amount)),
      `${formatQuantity(parseQuantity(amount))} is not positive integer multiple of ${name}`,
    );
}

/** `ofPod` for what a pod asks for as a whole. */
export function* validateRequirements(
  resources: CoreV1ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  field: string,
  ofPod = false,
): Problems {
  const { limits, requests } = resources ?? {};
  const validateName = ofPod ? validatePodResourceName : validateContainerResourceName;
  for (const [name, amount] of entries(limits)) {
    yield* validateName(name, `${field}.limits[${name}]`);
    yield* validateQuantity(name, amount, `${field}.limits[${name}]`);
    yield* validatePages(name, amount, `${field}.limits[${name}]`);
  }
  for (const [name, amount] of entries(requests)) {
    yield* validateName(name, `${field}.requests[${name}]`);
    yield* validateQuantity(name, amount, `${field}.requests[${name}]`);
    yield* validateRequest(name, amount, limits?.[name], field);
    yield* validatePages(name, amount, `${field}.requests[${name}]`);
  }
  const names = Object.keys({ ...limits, ...requests });
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory"))
    yield forbiddenField(field, "HugePages require cpu or memory");
  yield* validateClaimNames(resources?.claims ?? [], claims, `${field}.claims`);
}

function* validateClaimNames(
  asked: NonNullable<CoreV1ResourceRequirements["claims"]>,
  claims: ReadonlySet<string>,
  field: string,
): Problems {
  const seen = new Set<string>();
  for (const [index, { name = "", request }] of asked.entries()) {
    const at = `${field}[${index}]`;
    if (!name) {
      yield required(at);
      continue;
    }
    const key = request ? `${name}/${request}` : name;
    if (seen.has(name)) yield duplicate(at, name);
    else {
      if (request) yield* invalidFor(`${at}.request`, request, dnsLabelProblems(request));
      if (seen.has(key)) yield duplicate(at, key);
      else if (!request && [...seen].some((other) => other.startsWith(`${name}/`))) yield duplicate(at, name);
      seen.add(key);
    }
    if (claims.has(name)) continue;
    const known = claims.size ? `: ${[...claims].sort().join(", ")}` : " which is empty";
    const { message } = notFoundField(at, name);
    yield {
      ...notFoundField(at, name),
      message: `${message}: must be one of the names in pod.spec.resourceClaims${known}`,
    };
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

/** But for duplicates the index is missing in these paths upstream, and clients see them so. */
export function* validateResizePolicy(
  policies: CoreV1Container["resizePolicy"],
  podPolicy: string | undefined,
  field: string,
): Problems {
  const names = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of (policies ?? []).entries()) {
    if (names.has(resourceName ?? "")) yield duplicate(`${field}[${index}]`, resourceName ?? "");
    names.add(resourceName ?? "");
    if (!resourceName) yield required(field);
    else if (!RESIZABLE.includes(resourceName)) yield notSupported(field, resourceName, RESIZABLE);
    if (!restartPolicy) yield required(field);
    else if (!RESIZE_POLICIES.includes(restartPolicy)) yield notSupported(field, restartPolicy, RESIZE_POLICIES);
    if (podPolicy === "Never" && restartPolicy !== "NotRequired")
      yield invalidValue(field, restartPolicy ?? "", "must be 'NotRequired' when `restartPolicy` is 'Never'");
  }
}
