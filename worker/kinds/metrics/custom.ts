/**
 * What is told of requests by Ingresses, as autoscalers ask for it: metrics of Services, Ingresses and pods; and of
 * connections to Services. They are served where no APIService names another server for the group.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#support-for-metrics-apis
 */
import type { Registration } from "../apiregistration/api-service.ts";
import { objectSchema } from "../custom/structural.ts";
import { kindOf } from "../define-kind.ts";
import type { ApiextensionsV1JSONSchemaProps as Props } from "../generated/types.ts";
import type { Kind } from "../kind.ts";

export const CUSTOM_METRICS_GROUP = "custom.metrics.k8s.io";
/** The preferred one first. */
const VERSIONS = ["v1beta2", "v1beta1"];

/** Without a whole answer now; and begun, over the last half a minute. */
export const CUSTOM_METRICS = ["pending_requests", "requests_per_second"] as const;
export type CustomMetric = (typeof CUSTOM_METRICS)[number];

/** Those of Services alone: connections that are there now; and begun, likewise. */
export const CONNECTION_METRICS = ["connections_per_second", "open_connections"] as const;
export type ConnectionMetric = (typeof CONNECTION_METRICS)[number];

/** Those that a resource has. */
export const metricsOf = (resource: MeasuredResource): readonly (CustomMetric | ConnectionMetric)[] =>
  resource === "services" ? [...CUSTOM_METRICS, ...CONNECTION_METRICS].toSorted() : CUSTOM_METRICS;

/** What they are of, as paths name it. */
export const MEASURED = ["ingresses.networking.k8s.io", "pods", "services"] as const;
export type MeasuredResource = (typeof MEASURED)[number];

const schema: Props = {
  type: "object",
  properties: { items: { type: "array", items: { type: "object", additionalProperties: { type: "string" } } } },
};

function measuredKind(resource: MeasuredResource, version: string): Kind {
  const body = { group: CUSTOM_METRICS_GROUP, version, kind: "MetricValueList" };
  const made = kindOf({
    ...body,
    listKind: body.kind,
    resource,
    singular: "",
    namespaced: true,
    verbs: [],
    subresources: metricsOf(resource).map((name) => ({ name, verbs: ["get"], body })),
    schema: objectSchema(schema),
  });
  return { ...made, openapi: schema as Readonly<Record<string, unknown>> } as unknown as Kind;
}

export const CUSTOM_METRICS_KINDS: readonly Kind[] = VERSIONS.flatMap((version) =>
  MEASURED.map((resource) => measuredKind(resource, version)),
);

/** Whether another server answers for a group that would else be answered for here. */
export const isGivenAway = (group: string, registrations: Iterable<Registration>): boolean =>
  group === CUSTOM_METRICS_GROUP &&
  Iterator.from(registrations).some((known) => known.group === group && known.extension !== undefined);
