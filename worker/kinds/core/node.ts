import { canonicalizeResources } from "../../lib/quantity.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1Node, Schemas } from "../generated/types.ts";
import { cidrWarnings } from "../validation/ip.ts";
import { validateNode, validateNodeUpdate } from "../validation/node.ts";

/** https://kubernetes.io/docs/concepts/architecture/nodes/ */
export type Node = Schemas["io.k8s.api.core.v1.Node"];

export const Node = defineKind({
  schema: "io.k8s.api.core.v1.Node",
  // A node registers itself with what it has.
  statusOnCreate: true,
  default(node) {
    node.spec ??= {};
    // Both name the same ranges; clients of one address family know the first alone.
    const { podCIDR, podCIDRs } = node.spec;
    if (podCIDR && podCIDRs?.[0] !== podCIDR) node.spec.podCIDRs = [podCIDR];
    else if (podCIDRs?.[0]) node.spec.podCIDR = podCIDRs[0];
    node.status ??= {};
    canonicalizeResources(node.status.capacity);
    if (node.status.allocatable === undefined && node.status.capacity)
      node.status.allocatable = { ...node.status.capacity };
    canonicalizeResources(node.status.allocatable);
  },
  *warnings({ spec }, _, subresource) {
    if (subresource) return;
    if (spec?.externalID) yield "spec.externalID: this field is deprecated, and is unused by Kubernetes";
    for (const [index, range] of (spec?.podCIDRs ?? []).entries())
      yield* cidrWarnings(range, `spec.podCIDRs[${index}]`);
  },
  prepareForCreate: dropConfig,
  prepareForUpdate: dropConfig,
  // Of a status, only what an update says is looked at.
  validate: () => [],
  validateCreate: validateNode,
  *validateUpdate(node, old, subresource) {
    if (!subresource) yield* validateNode(node);
    yield* validateNodeUpdate(node, old);
  },
  fieldSelectors: { "spec.unschedulable": ({ spec }) => String(spec?.unschedulable ?? false) },
  columns: [
    nameColumn,
    { name: "Status", type: "string", value: statusCell },
    { name: "Roles", type: "string", value: (node) => roles(node).join(",") || "<none>" },
    ageColumn,
    { name: "Version", type: "string", value: ({ status }) => status?.nodeInfo?.kubeletVersion ?? "" },
    { name: "Internal-IP", type: "string", priority: 1, value: (node) => address(node, "InternalIP") },
    { name: "External-IP", type: "string", priority: 1, value: (node) => address(node, "ExternalIP") },
    { name: "OS-Image", type: "string", priority: 1, value: ({ status }) => status?.nodeInfo?.osImage || "<unknown>" },
    {
      name: "Kernel-Version",
      type: "string",
      priority: 1,
      value: ({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>",
    },
    {
      name: "Container-Runtime",
      type: "string",
      priority: 1,
      value: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
    },
  ],
});

/** Of a feature that was removed: it is not kept. */
function dropConfig({ spec, status }: CoreV1Node): void {
  delete spec?.configSource;
  delete status?.config;
}

function statusCell(node: CoreV1Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  const status = ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown";
  return node.spec?.unschedulable ? `${status},SchedulingDisabled` : status;
}

const ROLE_PREFIX = "node-role.kubernetes.io/";

function roles({ metadata }: CoreV1Node): string[] {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(metadata?.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX)) found.add(key.slice(ROLE_PREFIX.length));
    else if (key === "kubernetes.io/role") found.add(value);
  }
  found.delete("");
  return [...found].sort();
}

const address = (node: CoreV1Node, type: string): string =>
  node.status?.addresses?.find((candidate) => candidate.type === type)?.address ?? "<none>";
