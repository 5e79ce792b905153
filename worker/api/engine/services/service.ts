import {
  isExternallyAccessible,
  isExternalName,
  needsHealthCheckNodePort,
  needsNodePorts,
} from "../../../kinds/core/service.ts";
import type { CoreV1Service, CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
import { same } from "../../../kinds/paths.ts";
import { ipFamiliesOf } from "../../../lib/config.ts";
import type { FieldError } from "../../../lib/status.ts";
import { invalid } from "../../../lib/status.ts";
import type { Operation } from "../operation.ts";
import { allocateClusterIPs } from "./cluster-ip.ts";
import { ipFamilyProblems } from "./ip-families.ts";
import { allocateNodePorts } from "./node-ports.ts";

/**
 * Addresses and ports of Services. They are taken in the transaction that writes the Service and are free again once
 * it no longer holds them: the index of what is stored is the only record, so none can leak.
 * https://kubernetes.io/docs/concepts/services-networking/service/
 */
export function settleService({ object, old }: Operation): void {
  const { spec } = object as CoreV1Service;
  if (!spec) return;
  const before = (old as CoreV1Service | undefined)?.spec;
  if (before) {
    keepAllocated(spec, before);
    syncClusterIPs(spec, before);
    dropForType(spec, before);
  } else if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
}

export function allocateService(operation: Operation): void {
  const { kind, object, old } = operation;
  const { spec } = object as CoreV1Service;
  if (!spec) return;
  const before = (old as CoreV1Service | undefined)?.spec;
  const problems: FieldError[] = ipFamilyProblems(spec, before, ipFamiliesOf(operation.core.config));
  if (problems.length === 0) {
    if (!isExternalName(spec)) problems.push(...allocateClusterIPs(operation, spec, before));
    if (needsNodePorts(spec) || needsHealthCheckNodePort(spec))
      problems.push(...allocateNodePorts(operation, spec, before));
  }
  if (problems.length)
    throw invalid({ group: kind.group, kind: kind.kind, name: object.metadata?.name ?? "" }, problems);
}

/** A client that does not repeat what was allocated keeps it, so that PUT of what it once sent is no change. */
function keepAllocated(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  if (!isExternalName(spec) && !isExternalName(before)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === before.clusterIP)
      setOrDrop(spec, "clusterIPs", before.clusterIPs);
  }
  if (needsNodePorts(spec) && needsNodePorts(before)) keepNodePorts(spec, before);
  if (needsHealthCheckNodePort(spec) && needsHealthCheckNodePort(before) && !spec.healthCheckNodePort)
    setOrDrop(spec, "healthCheckNodePort", before.healthCheckNodePort);
}

function keepNodePorts(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  const held = new Set((before.ports ?? []).map(({ nodePort }) => nodePort));
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort).filter((port) => port && held.has(port)));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const known = before.ports?.find(({ name }) => (name ?? "") === (port.name ?? ""))?.nodePort;
    if (!known || used.has(known)) continue;
    port.nodePort = known;
    used.add(known);
  }
}

/** `clusterIP` and the first of `clusterIPs` are one value under two names; a change of either moves the other. */
function syncClusterIPs(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  if ((spec.clusterIP ?? "") === (before.clusterIP ?? "") || !same(spec.clusterIPs ?? [], before.clusterIPs ?? []))
    return;
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
  else delete spec.clusterIPs;
}

type Field = keyof CoreV1ServiceSpec;

/** Fields that belong to the old type only, and were not changed by the client, go with it. */
const typeFields: readonly { field: Field; needed(spec: CoreV1ServiceSpec): boolean }[] = [
  { field: "clusterIP", needed: (spec) => !isExternalName(spec) },
  { field: "clusterIPs", needed: (spec) => !isExternalName(spec) },
  { field: "ipFamilies", needed: (spec) => !isExternalName(spec) },
  { field: "ipFamilyPolicy", needed: (spec) => !isExternalName(spec) },
  { field: "internalTrafficPolicy", needed: (spec) => !isExternalName(spec) },
  { field: "externalTrafficPolicy", needed: isExternallyAccessible },
  { field: "healthCheckNodePort", needed: needsHealthCheckNodePort },
  { field: "allocateLoadBalancerNodePorts", needed: ({ type }) => type === "LoadBalancer" },
  { field: "loadBalancerClass", needed: ({ type }) => type === "LoadBalancer" },
];

function dropForType(spec: CoreV1ServiceSpec, before: CoreV1ServiceSpec): void {
  for (const { field, needed } of typeFields)
    if (needed(before) && !needed(spec) && same(spec[field], before[field])) delete spec[field];
  const ports = ({ ports }: CoreV1ServiceSpec) => (ports ?? []).map(({ nodePort }) => nodePort ?? 0);
  if (needsNodePorts(before) && !needsNodePorts(spec) && same(ports(spec), ports(before)))
    for (const port of spec.ports ?? []) delete port.nodePort;
}

function setOrDrop<Name extends Field>(spec: CoreV1ServiceSpec, field: Name, value: CoreV1ServiceSpec[Name]): void {
  if (value === undefined) delete spec[field];
  else spec[field] = value;
}
