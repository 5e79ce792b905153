import { podLimits, podRequests } from "../../kinds/core/pod-resources.ts";
import type {
  CoreV1Container,
  CoreV1LimitRange,
  CoreV1LimitRangeItem,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
} from "../../kinds/generated/types.ts";
import {
  compareQuantities,
  formatQuantity,
  parseResources,
  type Quantity,
  type Resources,
  ZERO,
} from "../../lib/quantity.ts";
import { metaOf } from "../engine/metadata.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, creates, kindNamed, refusal } from "./admission.ts";

/**
 * What each range of the namespace limits.
 * https://kubernetes.io/docs/concepts/policy/limit-range/
 */
function limitsOf(operation: Operation): readonly Limits[] {
  let limits = known.get(operation);
  if (!limits) {
    const ranges = operation.core.view.list(
      kindNamed<CoreV1LimitRange>(operation, "", "limitranges"),
      operation.namespace,
    );
    limits = ranges.map(({ spec }) => spec?.limits ?? []);
    known.set(operation, limits);
  }
  return limits;
}

type Limits = readonly CoreV1LimitRangeItem[];

/** Both steps of one write look at the same limits. */
const known = new WeakMap<Operation, readonly Limits[]>();

const ANNOTATION = "kubernetes.io/limit-ranger";

type List = Record<string, string>;

const isResource = ({ kind }: Operation, resource: string): boolean => kind.groupResource === resource;
const isGoing = ({ old }: Operation): boolean => old?.metadata?.deletionTimestamp !== undefined;

/** New pods, and containers that are given more or less. */
const concernsPod = (operation: Operation): boolean =>
  creates(operation, "pods") ||
  (isResource(operation, "pods") &&
    operation.action === "UPDATE" &&
    operation.subresource === "resize" &&
    !isGoing(operation));

const concernsClaim = (operation: Operation): boolean =>
  isResource(operation, "persistentvolumeclaims") &&
  (operation.action === "CREATE" || operation.action === "UPDATE") &&
  operation.subresource === "" &&
  !isGoing(operation);

/** Containers that say nothing get the namespace's defaults. */
export const limitRangerDefaults: Admission = {
  name: "LimitRanger",
  admits(operation) {
    if (!concernsPod(operation)) return;
    const items = limitsOf(operation)
      .flat()
      .filter(({ type }) => type === "Container");
    if (items.length === 0) return;
    const { spec } = operation.object as CoreV1Pod;
    const notes = [
      ...(spec?.containers ?? []).flatMap((container) => fillContainer("container", container, items)),
      ...(spec?.initContainers ?? []).flatMap((container) => fillContainer("init container", container, items)),
    ];
    if (notes.length === 0) return;
    const metadata = metaOf(operation.object);
    metadata.annotations = { ...metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}` };
  },
};

function fillContainer(what: string, container: CoreV1Container, items: Limits): string[] {
  const requests: List = Object.assign({}, ...items.map((item) => item.defaultRequest ?? {}));
  const limits: List = Object.assign({}, ...items.map((item) => item.default ?? {}));
  container.resources ??= {};
  const { resources } = container;
  const setRequests = missing(requests, resources.requests);
  const setLimits = missing(limits, resources.limits);
  if (setRequests.length) resources.requests = { ...requests, ...resources.requests };
  if (setLimits.length) resources.limits = { ...limits, ...resources.limits };
  const note = (set: string[], word: string) =>
    set.length ? [`${set.join(", ")} ${word} for ${what} ${container.name}`] : [];
  return [...note(setRequests, "request"), ...note(setLimits, "limit")];
}

const missing = (defaults: List, given: List | undefined): string[] =>
  Object.keys(defaults)
    .filter((name) => given?.[name] === undefined)
    .sort();

/** What is asked for lies within the namespace's bounds. */
export const limitRanger: Admission = {
  name: "LimitRanger",
  admits(operation) {
    const { object } = operation;
    const judge = concernsPod(operation)
      ? (items: Limits) => podProblems(object as CoreV1Pod, items)
      : concernsClaim(operation)
        ? (items: Limits) => claimProblems(object as CoreV1PersistentVolumeClaim, items)
        : undefined;
    if (!judge) return;
    // The first range that is not kept to is the one that is told.
    const problems =
      limitsOf(operation)
        .map(judge)
        .find(({ length }) => length > 0) ?? [];
    if (problems.length)
      throw refusal(operation, problems.length === 1 ? `${problems[0]}` : `[${problems.join(", ")}]`);
  },
};

type Asked = { requests: Resources; limits: Resources };

const askedBy = (container: CoreV1Container): Asked => ({
  requests: parseResources(container.resources?.requests as List | undefined),
  limits: parseResources(container.resources?.limits as List | undefined),
});

function podProblems({ spec }: CoreV1Pod, items: Limits): string[] {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(askedBy);
  return items.flatMap((item) => {
    if (item.type === "Container") return containers.flatMap((one) => problemsOf(item, one));
    return item.type === "Pod" && spec ? problemsOf(item, askedByPod(spec)) : [];
  });
}

/** What running it costs beside its containers does not count. */
function askedByPod(spec: NonNullable<CoreV1Pod["spec"]>): Asked {
  const { overhead: _, ...without } = spec;
  return { requests: podRequests({ spec: without }), limits: podLimits({ spec: without }) };
}

function claimProblems({ spec }: CoreV1PersistentVolumeClaim, items: Limits): string[] {
  const requests = parseResources(spec?.resources?.requests as List | undefined);
  return items
    .filter(({ type }) => type === "PersistentVolumeClaim")
    .flatMap((item) => problemsOf(item, { requests, limits: requests }).map(asRequest));
}

/** Claims have no limits; what breaks a bound is what is requested. */
const asRequest = (problem: string) =>
  problem.replace("but limit is", "but request is").replace("No limit", "No request");

const more = (a: Quantity, b: Quantity) => compareQuantities(a, b) > 0;

function problemsOf(item: CoreV1LimitRangeItem, { requests, limits }: Asked): string[] {
  const problems: (string | undefined)[] = [];
  for (const [name, min] of bounds(item.min)) {
    const usage = `minimum ${name} usage per ${item.type} is ${formatQuantity(min)}`;
    problems.push(boundProblem(usage, "request", requests[name], limits[name], (value) => more(min, value)));
  }
  for (const [name, max] of bounds(item.max)) {
    const usage = `maximum ${name} usage per ${item.type} is ${formatQuantity(max)}`;
    problems.push(boundProblem(usage, "limit", limits[name], requests[name], (value) => more(value, max)));
  }
  for (const [name, ratio] of bounds(item.maxLimitRequestRatio)) {
    const why = ratioProblem(ratio, requests[name] ?? ZERO, limits[name] ?? ZERO);
    const most = `${name} max limit to request ratio per ${item.type} is ${formatQuantity(ratio)}`;
    problems.push(why && `${most}, but ${why}`);
  }
  return problems.filter((why) => why !== undefined);
}

/** A bound is on `word`, which must be there; the other value, where given, must keep to it too. */
function boundProblem(
  usage: string,
  word: "request" | "limit",
  value: Quantity | undefined,
  other: Quantity | undefined,
  breaks: (value: Quantity) => boolean,
): string | undefined {
  if (!value) return `${usage}.  No ${word} is specified`;
  if (breaks(value)) return `${usage}, but ${word} is ${formatQuantity(value)}`;
  if (!other || !breaks(other)) return undefined;
  return `${usage}, but ${word === "limit" ? "request" : "limit"} is ${formatQuantity(other)}`;
}

const bounds = (list: unknown): [string, Quantity][] =>
  Object.entries(parseResources(list as List | undefined)).sort(([a], [b]) => (a < b ? -1 : 1));

function ratioProblem(most: Quantity, request: Quantity, limit: Quantity): string | undefined {
  if (request.nano === 0n) return "no request is specified or request is 0";
  if (limit.nano === 0n) return "no limit is specified or limit is 0";
  const ratio = Number(limit.nano) / Number(request.nano);
  return ratio > Number(most.nano) / 1e9 ? `provided ratio is ${ratio.toFixed(6)}` : undefined;
}
