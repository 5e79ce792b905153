/** Answers for `custom.metrics.k8s.io`: asks the nodes what requests and connections they have seen. Words are the API's own library's. */
import { REGISTRATIONS } from "../../kinds/apiregistration/api-service.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import type { Kind } from "../../kinds/kind.ts";
import {
  CONNECTION_METRICS,
  type ConnectionMetric,
  CUSTOM_METRICS_GROUP,
  type CustomMetric,
  isGivenAway,
  type MeasuredResource,
} from "../../kinds/metrics/custom.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { timestamp } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { formatQuantity } from "../../lib/quantity.ts";
import { parseLabelSelector } from "../../lib/selector-parser.ts";
import { matchesRequirements, SelectorError } from "../../lib/selectors.ts";
import { ApiError, badRequest, notFound } from "../../lib/status.ts";
import type { NodeTraffic, Traffic } from "../../protocol/link.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import type { StoreView } from "../view.ts";

/** What requests all connected nodes have seen: `by` are those that said so, `silent` those that did not, or not all. */
export interface SeenByNodes {
  seen(): Promise<{ traffic: NodeTraffic; by: ReadonlySet<string>; silent: readonly string[] }>;
}

type Parts = { view: StoreView; traffic: SeenByNodes | undefined; now(): number };

/** `name` is `*` for all that `selector` selects. */
export type CustomQuestion = {
  resource: MeasuredResource;
  namespace: string;
  name: string;
  selector: string;
  metric: CustomMetric | ConnectionMetric;
  metricSelector: string;
};

export type CustomValue = { of: KubeObject; value: string };

const KINDS: Readonly<Record<MeasuredResource, Kind>> = {
  services: Service as unknown as Kind,
  pods: Pod as unknown as Kind,
  "ingresses.networking.k8s.io": Ingress as unknown as Kind,
};
const ALL = "*";
const WINDOW_S = 30;
const NANOS = 1_000_000_000;

const IS_OF_CONNECTIONS: ReadonlySet<string> = new Set(CONNECTION_METRICS);
/** Those of which there are so many at this moment. */
const IS_A_NUMBER: ReadonlySet<string> = new Set<CustomMetric | ConnectionMetric>([
  "pending_requests",
  "open_connections",
]);

function figuresOf(
  { metadata, ...object }: KubeObject,
  { resource, metric }: CustomQuestion,
  seen: NodeTraffic,
): Traffic | undefined {
  const key = `${metadata?.namespace}/${metadata?.name}`;
  if (IS_OF_CONNECTIONS.has(metric)) return seen.connections?.services[key];
  if (resource === "services") return seen.services[key];
  if (resource === "pods") return seen.pods[(object as Pod).status?.podIP ?? ""];
  return seen.ingresses[key];
}

function amountOf(metric: CustomMetric | ConnectionMetric, traffic: Traffic | undefined): string {
  const amount = (IS_A_NUMBER.has(metric) ? traffic?.pending : traffic?.perSecond) ?? 0;
  const nano = BigInt(Math.round(amount * 1000)) * BigInt(NANOS / 1000);
  return formatQuantity({ nano, format: "DecimalSI" });
}

function requirementsOf(selector: string) {
  try {
    return parseLabelSelector(selector);
  } catch (error) {
    throw error instanceof SelectorError ? badRequest(error.message) : error;
  }
}

function chosen(view: StoreView, { resource, namespace, name, selector }: CustomQuestion): readonly KubeObject[] {
  const kind = KINDS[resource];
  if (name !== ALL) {
    const object = view.get(kind, namespace, name);
    if (!object) throw notFound({ group: kind.group, resource: kind.resource, name });
    return [object];
  }
  const wanted = requirementsOf(selector);
  return view.list(kind, namespace).filter(({ metadata }) => matchesRequirements(wanted, metadata?.labels));
}

/** Without what one node has seen there is no figure: a smaller one would have autoscalers scale down. */
async function wholeOf(nodes: SeenByNodes | undefined, ofConnections: boolean): Promise<NodeTraffic> {
  const { traffic, by, silent } = (await nodes?.seen()) ?? {};
  const isWhole = traffic && by && by.size > 0 && silent?.length === 0;
  if (isWhole && (traffic.connections || !ofConnections)) return traffic;
  if (isWhole) throw new ApiError(503, "ServiceUnavailable", "a node did not tell what connections it has seen");
  const [first, ...others] = silent ?? [];
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  const who =
    first === undefined ? "no node is connected to tell" : `node ${JSON.stringify(first)}${more} did not tell`;
  throw new ApiError(503, "ServiceUnavailable", `${who} what requests it has seen`);
}

/** Each object's value. Rejects with an `ApiError`. */
export async function customValues({ view, traffic }: Parts, question: CustomQuestion): Promise<CustomValue[]> {
  const { resource, name, metric, metricSelector } = question;
  const objects = chosen(view, question);
  // These metrics have no labels of their own.
  if (!matchesRequirements(requirementsOf(metricSelector), {})) {
    const which = name === ALL ? resource : `${resource} ${name}`;
    throw new ApiError(404, "NotFound", `the server could not find the metric ${metric} for ${which}`, {});
  }
  const seen = await wholeOf(traffic, IS_OF_CONNECTIONS.has(metric));
  return objects.map((of) => ({ of, value: amountOf(metric, figuresOf(of, question, seen)) }));
}

/** Answers where the request is about these metrics. */
export function askCustomMetrics(parts: Parts, request: ApiRequest): Promise<ApiResult> | undefined {
  const { kind, namespace, name, subresource, query } = request;
  if (kind.group !== CUSTOM_METRICS_GROUP) return undefined;
  if (isGivenAway(kind.group, parts.view.digest(REGISTRATIONS).values()))
    throw new ApiError(404, "NotFound", "the server could not find the requested resource", {});
  const metric = subresource as CustomMetric | ConnectionMetric;
  const resource = kind.resource as MeasuredResource;
  const [selector, metricSelector] = [query.get("labelSelector") ?? "", query.get("metricLabelSelector") ?? ""];
  return answered(parts, kind, { resource, namespace, name, selector, metric, metricSelector });
}

async function answered(parts: Parts, kind: Kind, question: CustomQuestion): Promise<ApiResult> {
  try {
    const values = await customValues(parts, question);
    const at = timestamp(parts.now());
    const items = values.map((value) => itemOf(kind.version, question, value, at));
    // Its items are no objects of their own, so that it is one object.
    const json = JSON.stringify({ kind: kind.listKind, apiVersion: kind.apiVersion, metadata: {}, items });
    return { type: "object", code: 200, kind, json, warnings: [] };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { type: "status", code: error.code, body: error.status(), warnings: [] };
  }
}

function itemOf(version: string, { resource, metric }: CustomQuestion, { of, value }: CustomValue, at: string): object {
  const { kind, apiVersion } = KINDS[resource];
  const { namespace, name } = of.metadata ?? {};
  const describedObject = { kind, namespace, name, apiVersion };
  const windowSeconds = IS_A_NUMBER.has(metric) ? undefined : WINDOW_S;
  return version === "v1beta1"
    ? { describedObject, metricName: metric, timestamp: at, window: windowSeconds, value, selector: null }
    : { describedObject, metric: { name: metric, selector: null }, timestamp: at, windowSeconds, value };
}
