/**
 * What nodes and pods use, as the autoscalers and `kubectl top` ask for it: kinds that are measured, and never stored.
 * They are served where no APIService names another server for them.
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/#metrics-api
 */
import type { KubeObject } from "../../lib/object.ts";
import { addQuantities, formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { nameColumn } from "../columns.ts";
import { objectSchema } from "../custom/structural.ts";
import { kindOf } from "../define-kind.ts";
import type { ApiextensionsV1JSONSchemaProps as Props } from "../generated/types.ts";
import type { Column, Kind } from "../kind.ts";

export const METRICS_GROUP = "metrics.k8s.io";

/** Quantities of `cpu` and `memory`. */
export type ResourceUsage = { cpu: string; memory: string };
/** `window` is a duration as Go writes it, before `timestamp`. */
type Measured = KubeObject & { timestamp: string; window: string };
export type NodeMetrics = Measured & { usage: ResourceUsage };
export type PodMetrics = Measured & { containers: { name: string; usage: ResourceUsage }[] };

const quantities: Props = {
  type: "object",
  additionalProperties: { type: "string" },
};
const measured: Props["properties"] = {
  timestamp: { type: "string", format: "date-time", description: "When it was measured." },
  window: { type: "string", description: "How long before the timestamp the use of processors was measured." },
};

const declared = (properties: Props["properties"]): Props => ({
  type: "object",
  required: ["timestamp", "window", ...Object.keys(properties ?? {})],
  properties: { ...measured, ...properties },
});

const sum = (usages: readonly ResourceUsage[], name: keyof ResourceUsage) =>
  formatQuantity(usages.map((usage) => parseQuantity(usage[name])).reduce(addQuantities, parseQuantity("0")));

function measuredKind<T extends Measured>(
  facts: { kind: string; resource: string; namespaced: boolean; schema: Props },
  usages: (object: T) => readonly ResourceUsage[],
): Kind<T> {
  const column = (name: keyof ResourceUsage): Column<T> => ({
    name,
    type: "string",
    format: "quantity",
    value: (object) => sum(usages(object), name),
  });
  const { kind, resource, namespaced, schema } = facts;
  const common = { group: METRICS_GROUP, version: "v1beta1", singular: "", verbs: ["get", "list"] };
  const made = kindOf<T>(
    { ...common, kind, resource, namespaced, schema: objectSchema(schema) },
    {
      columns: [
        nameColumn as Column<T>,
        column("cpu"),
        column("memory"),
        { name: "Window", type: "string", format: "duration", value: ({ window }) => window },
      ],
    },
  );
  return { ...made, openapi: schema as Readonly<Record<string, unknown>> };
}

export const NodeMetrics = measuredKind<NodeMetrics>(
  { kind: "NodeMetrics", resource: "nodes", namespaced: false, schema: declared({ usage: quantities }) },
  ({ usage }) => [usage],
);

export const PodMetrics = measuredKind<PodMetrics>(
  {
    kind: "PodMetrics",
    resource: "pods",
    namespaced: true,
    schema: declared({
      containers: {
        type: "array",
        items: {
          type: "object",
          required: ["name", "usage"],
          properties: { name: { type: "string" }, usage: quantities },
        },
      },
    }),
  },
  ({ containers }) => containers.map(({ usage }) => usage),
);

export const METRICS_KINDS: readonly Kind[] = [NodeMetrics as unknown as Kind, PodMetrics as unknown as Kind];
