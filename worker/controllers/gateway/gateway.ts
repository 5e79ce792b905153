/**
 * The Gateway API, where users have brought its definitions: a class of ours, and what is told of gateways and routes of
 * that class. What they lead to is made in `../../kinds/gateway`.
 */
import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Node } from "../../kinds/core/node.ts";
import { Secret } from "../../kinds/core/secret.ts";
import { Service } from "../../kinds/core/service.ts";
import { type Parent, parentsOf, unresolved } from "../../kinds/gateway/attachments.ts";
import type { ListenerState } from "../../kinds/gateway/listeners.ts";
import { NAMESPACES, SOURCES, Sources } from "../../kinds/gateway/sources.ts";
import { gatewaysOf, isOwn, isWithin } from "../../kinds/gateway/tables.ts";
import {
  CLASS_NAME,
  CONTROLLER,
  GATEWAY_CLASSES,
  type Gateway,
  type GatewayClass,
  GROUP,
} from "../../kinds/gateway/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Intent, View, Watch } from "../controller.ts";
import { hasBlock } from "../ingress/problems.ts";
import { servingAddress, servingAddresses } from "../ingress/status.ts";
import { watch } from "../keys.ts";
import { FEATURES } from "./features.ts";
import { gatewayStatus, told, yes } from "./gateway-status.ts";
import { routeStatus } from "./route-status.ts";

/** All gateways together, since one route may be for many, and one definition: that a class is wanted. */
const ALL = "/";
const CLASS = "/class";

const KINDS: Readonly<Record<string, string>> = {
  gatewayclasses: "GatewayClass",
  gateways: "Gateway",
  httproutes: "HTTPRoute",
  grpcroutes: "GRPCRoute",
  referencegrants: "ReferenceGrant",
};
const VERSIONS = ["v1", "v1beta1"];

/** A custom resource's kind, while it is served. */
export function kindOf(view: Pick<View, "kind">, resource: string): Kind | undefined {
  const name = KINDS[resource.split(".")[0] ?? ""] ?? "";
  for (const version of VERSIONS) {
    const found = view.kind(`${GROUP}/${version}`, name);
    if (found) return found;
  }
  return undefined;
}

export const sourcesIn =
  (view: Pick<View, "kind" | "list">) =>
  (resource: string): readonly KubeObject[] => {
    const kind = resource === NAMESPACES ? (Namespace as unknown as Kind) : kindOf(view, resource);
    return kind ? view.list(kind) : [];
  };

const isServed = (view: View) => kindOf(view, GATEWAY_CLASSES) !== undefined;

/** What is written to a custom resource, of whose kind only the name is known. */
const customWatch = (resource: string): Watch =>
  watch({ groupResource: resource } as Kind, function* (object, old, _, type) {
    if (type !== "MODIFIED" || !old || !same(meant(object), meant(old))) yield ALL;
  });

const meant = ({ metadata }: Readonly<KubeObject>) => [
  metadata?.generation,
  metadata?.annotations,
  metadata?.deletionTimestamp,
];

/** What matters to gateways only where there are any. */
function* when(view: View, isChanged: boolean): Iterable<string> {
  if (isChanged && isServed(view)) yield ALL;
}

const isEstablished = ({ status }: Readonly<CustomResourceDefinition>) =>
  conditionOf(status?.conditions ?? [], "Established")?.status === "True";

export const gatewayController: Controller = {
  name: "gateway-controller",
  patient: true,
  watches: [
    ...[...SOURCES].map(customWatch),
    watch(CustomResourceDefinition, function* (definition, old, _, type) {
      if (definition.metadata.name !== GATEWAY_CLASSES || type === "DELETED") return;
      if (isEstablished(definition) && !(old && isEstablished(old))) yield CLASS;
    }),
    watch(Namespace, ({ metadata }, old, view) => when(view, !same(metadata.labels, old?.metadata.labels))),
    watch(Service, ({ spec }, old, view, type) =>
      when(view, type !== "MODIFIED" || !same([spec.type, spec.ports], [old?.spec.type, old?.spec.ports])),
    ),
    watch(Secret, ({ type: kind, data }, old, view, type) =>
      when(view, kind === TLS && (type !== "MODIFIED" || !same(data, old?.data))),
    ),
    watch(Node, (node, old, view, type) =>
      when(view, type === "DELETED" || servingAddress(node) !== ((old && servingAddress(old)) ?? "")),
    ),
  ],
  reconcile(view, key, { now }): Intent[] {
    return key === CLASS ? madeClass(view) : [...statuses(view, now)];
  },
  /** A status that is refused keeps no other object from its own. */
  refused(view, key, { intent }, { now }): Intent[] {
    if (key === CLASS || intent.do !== "updateStatus") return [];
    const { uid } = intent.object.metadata ?? {};
    return [...statuses(view, now)].filter((other) => other.object.metadata?.uid !== uid);
  },
};

const TLS = "kubernetes.io/tls";

const hasCertificate = (view: View) => (namespace: string, name: string) => {
  const secret = view.get(Secret, namespace, name);
  return (
    secret?.type === TLS &&
    hasBlock(secret.data?.["tls.crt"], "CERTIFICATE") &&
    hasBlock(secret.data?.["tls.key"], "KEY")
  );
};

/** A cluster that has a class already is given none. */
function madeClass(view: View): Intent[] {
  const kind = kindOf(view, GATEWAY_CLASSES);
  if (!kind || view.list(kind).length > 0) return [];
  const spec = { controllerName: CONTROLLER, description: "Served by every node, and at the edge" };
  const object = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name: CLASS_NAME }, spec };
  return [{ do: "create", kind, object }];
}

type StatusUpdate = Extract<Intent, { do: "updateStatus" }>;

function* statuses(view: View, now: number): Iterable<StatusUpdate> {
  const sources = new Sources(sourcesIn(view));
  for (const found of sources.classes) if (isOwn(found)) yield* changed(view, found, classStatus(found, now));
  const gateways = gatewaysOf(sources, hasCertificate(view));
  const attached = new Map<ListenerState, number>();
  for (const route of sources.routes) {
    const parents = parentsOf(route, gateways, sources);
    for (const state of listenersIn(parents)) attached.set(state, (attached.get(state) ?? 0) + 1);
    const services = (namespace: string, name: string) => view.get(Service, namespace, name);
    const problem = parents.length > 0 ? unresolved(route, sources, services) : undefined;
    yield* changed(view, route, routeStatus(route, parents, problem, now));
  }
  const addresses = gateways.size > 0 ? servingAddresses(view) : [];
  for (const { gateway, listeners } of gateways.values()) {
    const isElsewhere = !isOnNodes(gateway, sources.classes);
    const reach = { addresses: isElsewhere ? [] : addresses, isElsewhere };
    yield* changed(view, gateway, gatewayStatus(gateway, listeners, attached, reach, now));
  }
}

const isOnNodes = (gateway: Gateway, classes: readonly GatewayClass[]): boolean =>
  classes.some((found) => found.metadata?.name === gateway.spec?.gatewayClassName && isWithin(gateway, found, "lan"));

const listenersIn = (parents: readonly Parent[]): Set<ListenerState> =>
  new Set(parents.flatMap(({ attachments }) => attachments.map(({ state }) => state)));

const classStatus = ({ status, metadata }: GatewayClass, now: number): GatewayClass["status"] => ({
  ...status,
  conditions: told(status?.conditions, { Accepted: yes("Accepted") }, metadata?.generation, now),
  supportedFeatures: FEATURES.map((name) => ({ name })),
});

function* changed(view: View, object: KubeObject & { status?: unknown }, status: unknown): Iterable<StatusUpdate> {
  if (same(object.status, status)) return;
  const kind = view.kind(object.apiVersion ?? "", object.kind ?? "");
  if (kind) yield { do: "updateStatus", kind, object: { ...object, status } as KubeObject };
}
