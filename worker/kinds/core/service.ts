import { dns1035LabelProblems } from "../../lib/names.ts";
import { pairs } from "../apps/workload-columns.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1Service, CoreV1ServiceSpec, Schemas } from "../generated/types.ts";
import {
  serviceWarnings,
  validateService,
  validateServiceStatus,
  validateServiceUpdate,
} from "../validation/service.ts";
import { isExternallyAccessible } from "./service-needs.ts";
import { beginService, carryService } from "./service-strategy.ts";

export * from "./service-needs.ts";

/** https://kubernetes.io/docs/concepts/services-networking/service/ */
export type Service = Schemas["io.k8s.api.core.v1.Service"];

const CLIENT_IP_TIMEOUT_SECONDS = 10_800;
const LOAD_BALANCER_WIDTH = 16;

export const Service = defineKind({
  schema: "io.k8s.api.core.v1.Service",
  nameProblems: dns1035LabelProblems,
  default(service) {
    defaultService(service.spec);
    defaultBalancer(service);
  },
  prepareForCreate: beginService,
  prepareForUpdate: carryService,
  changesFirst: true,
  validate: validateService,
  validateUpdate: (service, old, subresource) =>
    subresource ? validateServiceStatus(service) : validateServiceUpdate(service, old),
  *warnings(service, _, subresource) {
    if (!subresource) yield* serviceWarnings(service);
  },
  columns: [
    nameColumn,
    { name: "Type", type: "string", value: ({ spec }) => spec?.type ?? "" },
    { name: "Cluster-IP", type: "string", value: ({ spec }) => spec?.clusterIP || "<none>" },
    { name: "External-IP", type: "string", value: externalIP },
    { name: "Port(s)", type: "string", value: ports },
    ageColumn,
    { name: "Selector", type: "string", priority: 1, value: ({ spec }) => pairs(spec?.selector) },
  ],
});

/** What arrives at a load balancer's address goes on to the node with that address, unless the balancer says otherwise. */
function defaultBalancer({ spec, status }: Service): void {
  if (spec?.type !== "LoadBalancer") return;
  for (const at of status?.loadBalancer?.ingress ?? []) if (at.ip) at.ipMode ??= "VIP";
}

function defaultService(spec: CoreV1ServiceSpec | undefined): void {
  if (!spec) return;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= CLIENT_IP_TIMEOUT_SECONDS;
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === undefined || port.targetPort === null || port.targetPort === 0 || port.targetPort === "")
      port.targetPort = port.port ?? 0;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

function externalIP({ spec, status }: CoreV1Service): string {
  const external = spec?.externalIPs ?? [];
  if (spec?.type === "ExternalName") return spec.externalName ?? "";
  if (spec?.type !== "LoadBalancer") return external.join(",") || "<none>";
  const balanced = new Set((status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || ""));
  balanced.delete("");
  const list = [...balanced].sort().join(",");
  const shown = list.length > LOAD_BALANCER_WIDTH ? `${list.slice(0, LOAD_BALANCER_WIDTH - 3)}...` : list;
  return [...(shown ? [shown] : []), ...external].join(",") || "<pending>";
}

function ports({ spec }: CoreV1Service): string {
  const shown = (spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return shown.join(",") || "<none>";
}
