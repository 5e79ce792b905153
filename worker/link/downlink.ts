/**
 * What a node is told: its own pods with the ConfigMaps, Secrets, claims and volumes that they mention, the volumes that
 * it is to bring or to remove, all Services and EndpointSlices, and of the other nodes what routing needs. A pod travels
 * with what it mentions, so an agent never waits for the rest.
 */

import { podClaims } from "../kinds/core/pod-claims.ts";
import { podReferences } from "../kinds/core/pod-references.ts";
import type { CoreV1PersistentVolume, CoreV1PersistentVolumeClaim, CoreV1Pod } from "../kinds/generated/types.ts";
import { WANTED_VERSION } from "../lib/agent-rollout.ts";
import { extendedOf } from "../lib/extended-resources.ts";
import { nodesWithWork } from "../lib/local-volumes.ts";
import type { KubeObject } from "../lib/object.ts";
import { NODE_RESOURCES, type NodeChange, type ObjectJson, WIREGUARD_KEY, WIREGUARD_PORT } from "../protocol/link.ts";

/** The cluster's objects as the link reads them. */
export interface Objects {
  get(resource: string, namespace: string, name: string): KubeObject | undefined;
  list(resource: string): readonly KubeObject[];
  podsOnNode(node: string): readonly KubeObject[];
  /** All pods of a namespace, some at a time. */
  podsIn(namespace: string): Iterable<readonly KubeObject[]>;
  /** PersistentVolumes whose data the node is to bring or to remove. */
  volumesWithWork(node: string): readonly KubeObject[];
}

/** One write, with the bodies after and before; `object` is absent after a deletion, `old` on a creation. */
export type Write = {
  resource: string;
  namespace: string;
  name: string;
  object: KubeObject | undefined;
  old: KubeObject | undefined;
};

const CLAIMS = "persistentvolumeclaims";
const VOLUMES = "persistentvolumes";

type NodeShape = KubeObject & {
  spec?: { podCIDR?: string; podCIDRs?: readonly string[] };
  status?: {
    addresses?: readonly unknown[];
    daemonEndpoints?: object;
    volumesAttached?: readonly unknown[];
    capacity?: Readonly<Record<string, string>>;
    allocatable?: Readonly<Record<string, string>>;
  };
};

export const nodeOf = (pod: KubeObject | undefined) => (pod as CoreV1Pod | undefined)?.spec?.nodeName;
const json = (object: KubeObject) => object as ObjectJson;

/** The version that a node's agent is to become. */
const wantedVersion = (node: KubeObject | undefined) => node?.metadata?.annotations?.[WANTED_VERSION];

/** What is attached to a node, for which its pods wait. */
const volumesAttached = (node: KubeObject | undefined) => (node as NodeShape | undefined)?.status?.volumesAttached;

/** What others say that a node has: it allows pods to ask for it. */
function extendedResources(node: KubeObject | undefined) {
  const { capacity, allocatable } = (node as NodeShape | undefined)?.status ?? {};
  const [all, allowed] = [extendedOf(capacity), extendedOf(allocatable)];
  return {
    ...(Object.keys(all).length > 0 && { capacity: all }),
    ...(Object.keys(allowed).length > 0 && { allocatable: allowed }),
  };
}

/** What all nodes hear of a node's annotations: how it is reached by WireGuard. */
const TOLD_ANNOTATIONS = [WIREGUARD_KEY, WIREGUARD_PORT];

/** Undefined for none. */
function toldAnnotations(node: KubeObject, own: boolean): Record<string, string> | undefined {
  const told = own ? [...TOLD_ANNOTATIONS, WANTED_VERSION] : TOLD_ANNOTATIONS;
  const { annotations = {} } = node.metadata ?? {};
  const found = told.flatMap((name) => (annotations[name] === undefined ? [] : [[name, annotations[name]] as const]));
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** What nodes need to know: where a node's pods are, not its heartbeat. Each hears of its own version, volumes and resources alone. */
export function routing(node: KubeObject, own = true): KubeObject {
  const { apiVersion, kind, metadata, spec, status } = node as NodeShape;
  const { podCIDR, podCIDRs } = spec ?? {};
  const annotations = toldAnnotations(node, own);
  const attached = own ? volumesAttached(node) : undefined;
  const trimmed: NodeShape = {
    apiVersion,
    kind,
    metadata: {
      name: metadata?.name,
      uid: metadata?.uid,
      labels: metadata?.labels,
      ...(annotations && { annotations }),
    },
    spec: { podCIDR, podCIDRs },
    status: {
      addresses: status?.addresses,
      daemonEndpoints: status?.daemonEndpoints,
      ...(attached && { volumesAttached: attached }),
      ...(own && extendedResources(node)),
    },
  };
  return trimmed;
}

function mentioned(pod: KubeObject, objects: Objects): NodeChange[] {
  const namespace = pod.metadata?.namespace ?? "";
  const { configmaps, secrets } = podReferences(pod as CoreV1Pod);
  const find = (resource: string) => (name: string) => {
    const object = objects.get(resource, namespace, name);
    return object ? [{ resource, namespace, name, object: json(object) }] : [];
  };
  return [
    ...[...configmaps].flatMap(find("configmaps")),
    ...[...secrets].flatMap(find("secrets")),
    ...podClaims(pod as CoreV1Pod).flatMap(({ claim }) => claimed(namespace, claim, objects)),
  ];
}

/** A claim with its volume. One that is not there is told of too: the node may know an older one of its name. */
function claimed(namespace: string, name: string, objects: Objects): NodeChange[] {
  const object = objects.get(CLAIMS, namespace, name);
  if (!object) return [{ resource: CLAIMS, namespace, name, object: null }];
  const volumeName = (object as CoreV1PersistentVolumeClaim).spec?.volumeName;
  const volume = volumeName ? objects.get(VOLUMES, "", volumeName) : undefined;
  return [...(volume ? [named(VOLUMES, volume)] : []), named(CLAIMS, object)];
}

/** The claim that a volume is kept for. */
export function claimOf(
  volume: KubeObject | undefined,
): { resource: string; namespace: string; name: string } | undefined {
  const { namespace = "", name } = (volume as CoreV1PersistentVolume | undefined)?.spec?.claimRef ?? {};
  return name ? { resource: CLAIMS, namespace, name } : undefined;
}

const named = (resource: string, object: KubeObject, own = true): NodeChange => ({
  resource,
  namespace: object.metadata?.namespace ?? "",
  name: object.metadata?.name ?? "",
  object: json(resource === "nodes" ? routing(object, own) : object),
});

/** What changed of a node is what it alone is told of. */
export const isToldAlone = ({ resource, object, old }: Write): boolean =>
  resource === "nodes" &&
  object !== undefined &&
  (wantedVersion(object) !== wantedVersion(old) ||
    JSON.stringify([volumesAttached(object), extendedResources(object)]) !==
      JSON.stringify([volumesAttached(old), extendedResources(old)]));

/** Of what all nodes are told, the same change for each of them, so that it is made and written out once. */
const forAll = new WeakMap<KubeObject, NodeChange>();
const texts = new WeakMap<NodeChange, string>();

function namedForAll(resource: string, object: KubeObject): NodeChange {
  const known = forAll.get(object) ?? named(resource, object, false);
  forAll.set(object, known);
  return known;
}

/** The change as JSON. */
export function textOf(change: NodeChange): string {
  const known = texts.get(change) ?? JSON.stringify(change);
  texts.set(change, known);
  return known;
}

const differs = (a: KubeObject, b: KubeObject): boolean => JSON.stringify(a) !== JSON.stringify(b);

const isOwn = (node: string, resource: string, { metadata }: KubeObject): boolean =>
  resource === "nodes" && metadata?.name === node;

/** Everything that `node` should have. */
export function snapshotFor(node: string, objects: Objects): NodeChange[] {
  const sent = new Map<string, NodeChange>();
  const add = (change: NodeChange) => sent.set(`${change.resource}/${change.namespace}/${change.name}`, change);
  for (const resource of NODE_RESOURCES)
    for (const object of objects.list(resource))
      add(isOwn(node, resource, object) ? named(resource, object) : namedForAll(resource, object));
  for (const pod of objects.podsOnNode(node)) {
    for (const change of mentioned(pod, objects)) add(change);
    add(named("pods", pod));
  }
  for (const volume of objects.volumesWithWork(node)) add(named(VOLUMES, volume));
  return [...sent.values()];
}

/** The part of one write that concerns `node`; `mentions` tells whether one of its pods mentions a ConfigMap, Secret or claim. */
export function changeFor(
  node: string,
  write: Write,
  objects: Objects,
  mentions: (resource: string, namespace: string, name: string) => boolean,
): NodeChange[] {
  const { resource, namespace, name, object, old } = write;
  const gone: NodeChange = { resource, namespace, name, object: null };
  switch (resource) {
    case "pods":
      if (object && nodeOf(object) === node) return [...mentioned(object, objects), named(resource, object)];
      return nodeOf(old) === node ? [gone] : [];
    case "nodes":
      if (!object) return [gone];
      if (name === node) return old && !differs(routing(old), routing(object)) ? [] : [named(resource, object)];
      if (old && textOf(namedForAll(resource, old)) === textOf(namedForAll(resource, object))) return [];
      return [namedForAll(resource, object)];
    case "configmaps":
    case "secrets":
      if (!mentions(resource, namespace, name)) return [];
      return [object ? named(resource, object) : gone];
    case CLAIMS:
      return mentions(resource, namespace, name) ? claimed(namespace, name, objects) : [];
    case VOLUMES: {
      const concerns = (volume: KubeObject | undefined) => {
        const claim = claimOf(volume);
        return (
          (claim && mentions(claim.resource, claim.namespace, claim.name)) ||
          (volume && nodesWithWork(volume).includes(node))
        );
      };
      if (!concerns(object) && !concerns(old)) return [];
      return [object ? named(resource, object) : gone];
    }
    default:
      if (!NODE_RESOURCES.some((known) => known === resource)) return [];
      return [object ? namedForAll(resource, object) : gone];
  }
}
