/** What NetworkPolicies ask of a pod, which is little of it and changes seldom. */
import type { CoreV1Pod } from "../../kinds/generated/types.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Labels } from "../../lib/selectors.ts";
import type { PeerSet } from "./compile.ts";

export type NamedPort = { name: string; protocol: string; port: number };

export type PodFacts = {
  namespace: string;
  name: string;
  labels: Labels;
  /** "" while it has none. */
  node: string;
  /** One a family; none where nobody can reach it by its own: with its node's network, without one yet, ended. */
  addresses: readonly string[];
  ports: readonly NamedPort[];
};

const NO_LABELS: Labels = {};
const NO_PORTS: readonly NamedPort[] = [];

const known = new WeakMap<KubeObject, PodFacts>();

export function factsOf(pod: KubeObject): PodFacts {
  const facts = known.get(pod) ?? read(pod);
  known.set(pod, facts);
  return facts;
}

function read(object: KubeObject): PodFacts {
  const { metadata, spec, status } = object as CoreV1Pod;
  const hasEnded = status?.phase === "Succeeded" || status?.phase === "Failed";
  return {
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    labels: metadata?.labels ?? NO_LABELS,
    node: spec?.nodeName ?? "",
    addresses: hasEnded || spec?.hostNetwork || !spec?.nodeName ? [] : addressesOf(status),
    ports: namedPorts(spec),
  };
}

const addressesOf = (status: CoreV1Pod["status"]): readonly string[] =>
  (status?.podIPs ?? [{ ip: status?.podIP }]).flatMap(({ ip }) => ip || []);

function namedPorts(spec: CoreV1Pod["spec"] | undefined): readonly NamedPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  const named = ports.flatMap(({ name, protocol = "TCP", containerPort: port }) =>
    name ? [{ name, protocol, port }] : [],
  );
  return named.length > 0 ? named : NO_PORTS;
}

/** Whether policies make the same of both. */
export const sameFacts = (a: PodFacts | undefined, b: PodFacts | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** What a pod of a namespace that the set covers puts into it. */
export function membersOf(set: PeerSet, { addresses, labels, ports }: PodFacts): string[] {
  if (addresses.length === 0 || !set.selects(labels)) return [];
  const { port } = set;
  if (!port) return [...addresses];
  const fitting = ports.filter(({ name, protocol }) => name === port.name && protocol === port.protocol);
  return addresses.flatMap((address) => fitting.map((found) => `${address} ${found.protocol} ${found.port}`));
}
