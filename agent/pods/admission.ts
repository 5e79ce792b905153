/**
 * Whether a node takes a new pod at all. The scheduler asks the same before it binds one, but a pod may name its node
 * itself. Reasons and messages are the kubelet's.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
 */
import { podRequests } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { milliValue, parseQuantity, wholeValue, ZERO } from "../../worker/lib/quantity.ts";
import type { FieldContext } from "./fields.ts";

export type Rejection = { reason: string; message: string };

/** `others` are the node's pods that are not over. */
export function rejection(
  pod: CoreV1Pod,
  others: readonly CoreV1Pod[],
  allocatable: FieldContext["allocatable"],
): Rejection | undefined {
  const lack = lackOf("cpu", milliValue) ?? lackOf("memory", wholeValue);
  if (lack) return lack;
  const taken = others.flatMap(hostPorts);
  if (hostPorts(pod).some((port) => taken.some((other) => collide(port, other))))
    return {
      reason: "NodePorts",
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    };
  return undefined;

  function lackOf(name: "cpu" | "memory", measure: typeof wholeValue): Rejection | undefined {
    const requested = (one: CoreV1Pod) => measure(podRequests(one)[name] ?? ZERO);
    const wanted = requested(pod);
    const used = others.reduce((sum, other) => sum + requested(other), 0);
    const capacity = measure(parseQuantity(allocatable[name]));
    if (wanted === 0 || used + wanted <= capacity) return undefined;
    const amounts = `requested: ${wanted}, used: ${used}, capacity: ${capacity}`;
    return { reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, ${amounts}` };
  }
}

type HostPort = { ip: string; protocol: string; port: number };

function hostPorts({ spec }: CoreV1Pod): HostPort[] {
  const ports = [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ hostPort, hostIP, protocol = "TCP" }) =>
    hostPort ? [{ ip: hostIP || "0.0.0.0", protocol, port: hostPort }] : [],
  );
}

const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");
