/** Answers for `metrics.k8s.io`: asks the nodes what they and their pods use. Words are metrics-server's. */
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import { METRICS_GROUP, type ResourceUsage } from "../../kinds/metrics/metrics.ts";
import { timestamp } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { formatQuantity } from "../../lib/quantity.ts";
import { matchesFields } from "../../lib/selector-parser.ts";
import { matchesRequirements } from "../../lib/selectors.ts";
import { notFound } from "../../lib/status.ts";
import type { NodeUsage, Usage } from "../../protocol/link.ts";
import { parseSelection, type Selection } from "../engine/selection.ts";
import { serialize } from "../engine/stored.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import type { StoreView } from "../view.ts";

/** What nodes use, by their names, and with `pods` their pods; those that do not say in time are left out. */
export interface Usages {
  of(nodes: readonly string[], pods: boolean): Promise<ReadonlyMap<string, NodeUsage>>;
}

type Parts = { view: StoreView; usages: Usages; now(): number };

const NONE: Usages = { of: async () => new Map() };

/** Answers where the request is about metrics. Who is meant is decided at once, and what they use is then asked for. */
export function askMetrics(
  { view, usages = NONE, now }: Omit<Parts, "usages"> & { usages?: Usages },
  request: ApiRequest,
): Promise<ApiResult> | undefined {
  if (request.kind.group !== METRICS_GROUP) return undefined;
  const parts = { view, usages, now };
  return request.kind.resource === "nodes" ? nodes(parts, request) : pods(parts, request);
}

const selectionOf = ({ kind, query }: ApiRequest): Selection =>
  parseSelection(kind, query.get("labelSelector") ?? "", query.get("fieldSelector") ?? "");

function isSelected({ labels, fields }: Selection, { metadata = {} }: KubeObject): boolean {
  if (!matchesRequirements(labels, metadata.labels)) return false;
  return matchesFields(fields, (field) => (field === "metadata.name" ? metadata.name : metadata.namespace) ?? "");
}

const SECOND_MS = 1000;
const NANO = 1_000_000_000n;

const resources = ({ cpu, memory }: Usage): ResourceUsage => ({
  cpu: formatQuantity({ nano: BigInt(Math.round(cpu)), format: "DecimalSI" }),
  memory: formatQuantity({ nano: BigInt(Math.round(memory)) * NANO, format: "BinarySI" }),
});

const windowOf = (usages: readonly Usage[]) => `${Math.min(...usages.map(({ windowMs }) => windowMs)) / SECOND_MS}s`;

/** As text, like everything that is listed. */
function measured(kind: Kind, of: KubeObject, at: number, now: number, figures: object): string {
  const { name, namespace, labels } = of.metadata ?? {};
  const metadata = { name, namespace, labels, creationTimestamp: timestamp(now) };
  return serialize(kind, { metadata, timestamp: timestamp(at), ...figures } as KubeObject, 0);
}

type Measure<T> = (object: T, usage: NodeUsage) => string | undefined;

const byName = (a: KubeObject, b: KubeObject) => {
  const key = ({ metadata = {} }: KubeObject) => `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
  return key(a) < key(b) ? -1 : 1;
};

function nodes(parts: Parts, request: ApiRequest): Promise<ApiResult> {
  const { view, now } = parts;
  const kind = request.kind;
  const measure: Measure<Node> = (node, { at, node: usage }) =>
    usage && measured(kind, node, at, now(), { window: windowOf([usage]), usage: resources(usage) });
  const place = (node: Node) => node.metadata.name ?? "";
  if (request.verb === "get") {
    const node = view.get(Node, "", request.name);
    if (!node) throw notFound({ group: "", resource: "nodes", name: request.name });
    const missing = { group: METRICS_GROUP, resource: "nodemetrics", name: request.name };
    return one(parts, kind, node, place, false, measure, missing);
  }
  const selection = selectionOf(request);
  const chosen = view.list(Node).filter((node) => isSelected(selection, node));
  return many(parts, kind, chosen.toSorted(byName), place, false, measure);
}

function pods(parts: Parts, request: ApiRequest): Promise<ApiResult> {
  const { view, now } = parts;
  const { kind, namespace } = request;
  const measure: Measure<Pod> = (pod, { at, pods: told = [] }) => {
    const containers = told.find(({ uid }) => uid === pod.metadata.uid)?.containers;
    if (!containers?.length) return undefined;
    const list = containers.map((container) => ({ name: container.name, usage: resources(container) }));
    return measured(kind, pod, at, now(), { window: windowOf(containers), containers: list });
  };
  const place = (pod: Pod) => pod.spec.nodeName ?? "";
  if (request.verb === "get") {
    const pod = view.get(Pod, namespace, request.name);
    if (!pod) throw notFound({ group: "", resource: "pods", name: request.name });
    const missing = { group: METRICS_GROUP, resource: "podmetrics", name: `${namespace}/${request.name}` };
    return one(parts, kind, pod, place, true, measure, missing);
  }
  const selection = selectionOf(request);
  const chosen: Pod[] = [];
  for (const page of view.pages(Pod, namespace || undefined))
    for (const pod of page)
      if (pod.status?.phase === "Running" && pod.spec.nodeName && isSelected(selection, pod)) chosen.push(pod as Pod);
  return many(parts, kind, chosen.toSorted(byName), place, true, measure);
}

async function one<T>(
  { usages }: Parts,
  kind: Kind,
  object: T,
  place: (object: T) => string,
  withPods: boolean,
  measure: Measure<T>,
  missing: Parameters<typeof notFound>[0],
): Promise<ApiResult> {
  const usage = (await usages.of([place(object)], withPods)).get(place(object));
  const json = usage && measure(object, usage);
  if (json === undefined) {
    const error = notFound(missing);
    return { type: "status", code: error.code, body: error.status(), warnings: [] };
  }
  return { type: "object", code: 200, kind, json, warnings: [] };
}

async function many<T>(
  { usages }: Parts,
  kind: Kind,
  objects: readonly T[],
  place: (object: T) => string,
  withPods: boolean,
  measure: Measure<T>,
): Promise<ApiResult> {
  const found = await usages.of([...new Set(objects.map(place))], withPods);
  const items = objects.flatMap((object) => {
    const usage = found.get(place(object));
    return (usage && measure(object, usage)) ?? [];
  });
  return { type: "list", code: 200, kind, items, metadata: { resourceVersion: "" }, warnings: [] };
}
