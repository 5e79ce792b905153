import type { CoreV1Service, CoreV1ServiceSpec } from "../generated/types.ts";
import { same } from "../paths.ts";
import { isExternallyAccessible, isExternalName, needsHealthCheckNodePort, needsNodePorts } from "./service-needs.ts";

/** A client that knows one address field only gets the other filled in. */
export function beginService({ spec }: CoreV1Service): void {
  if (spec?.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
}

/** What was allocated stays where the client left it out, and goes where the new type has no use for it. */
export function carryService(service: CoreV1Service, old: CoreV1Service, subresource: string): void {
  const spec = service.spec;
  const before = old.spec;
  if (subresource || !spec || !before) return;
  alignClusterIPs(spec, before);
  keepAllocated(spec, before);
  dropUnneeded(spec, before);
}

function alignClusterIPs(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  if (before.clusterIPs?.length && !spec.clusterIPs?.length && before.clusterIP === spec.clusterIP)
    spec.clusterIPs = before.clusterIPs;
  if (before.clusterIP === spec.clusterIP || !same(before.clusterIPs ?? [], spec.clusterIPs ?? [])) return;
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)];
  else if (before.clusterIP) delete spec.clusterIPs;
}

function keepAllocated(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  if (!isExternalName(before) && !isExternalName(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP;
    if (!spec.clusterIPs?.length && before.clusterIPs && spec.clusterIP === before.clusterIP)
      spec.clusterIPs = before.clusterIPs;
    if (!spec.ipFamilies?.length && before.ipFamilies) spec.ipFamilies = before.ipFamilies;
    spec.ipFamilyPolicy ??= before.ipFamilyPolicy ?? "SingleStack";
  }
  if (needsNodePorts(before) && needsNodePorts(spec)) keepNodePorts(spec, before);
  if (needsHealthCheckNodePort(before) && needsHealthCheckNodePort(spec) && before.healthCheckNodePort)
    spec.healthCheckNodePort ||= before.healthCheckNodePort;
}

function keepNodePorts(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  const named = new Map((before.ports ?? []).map(({ name = "", nodePort }) => [name, nodePort]));
  const used = new Set((spec.ports ?? []).map((port) => port.nodePort).filter(Boolean));
  for (const port of spec.ports ?? []) {
    const known = named.get(port.name ?? "");
    if (port.nodePort || !known || used.has(known)) continue;
    port.nodePort = known;
    used.add(known);
  }
}

/** Only what the client did not touch goes, since the rest is the client's own mistake to hear of. */
function dropUnneeded(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  const untouched = (field: keyof CoreV1ServiceSpec) => same(spec[field], before[field]);
  if (!isExternalName(before) && isExternalName(spec)) {
    if (untouched("clusterIP") || !spec.clusterIP) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    for (const field of ["ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] as const)
      if (untouched(field)) delete spec[field];
  }
  const nodePorts = (list: CoreV1ServiceSpec["ports"]) => (list ?? []).map((port) => port.nodePort ?? 0);
  if (needsNodePorts(before) && !needsNodePorts(spec) && same(nodePorts(spec.ports), nodePorts(before.ports)))
    for (const port of spec.ports ?? []) delete port.nodePort;
  if (needsHealthCheckNodePort(before) && !needsHealthCheckNodePort(spec) && untouched("healthCheckNodePort"))
    delete spec.healthCheckNodePort;
  if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer")
    for (const field of ["allocateLoadBalancerNodePorts", "loadBalancerClass"] as const)
      if (untouched(field)) delete spec[field];
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec) && untouched("externalTrafficPolicy"))
    delete spec.externalTrafficPolicy;
}
