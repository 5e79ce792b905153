/** What gateways are made of, wherever it is read. */
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import {
  type AnyRoute,
  GATEWAY_CLASSES,
  GATEWAYS,
  type Gateway,
  type GatewayClass,
  GRPC_ROUTES,
  HTTP_ROUTES,
  type Listener,
  REFERENCE_GRANTS,
  type ReferenceGrant,
} from "./types.ts";

/** All objects of a resource; none where its kind is not there. */
export type List = (resource: string) => readonly KubeObject[];

/** Writes to these change what gateways are. */
export const SOURCES: ReadonlySet<string> = new Set([
  GATEWAY_CLASSES,
  GATEWAYS,
  HTTP_ROUTES,
  GRPC_ROUTES,
  REFERENCE_GRANTS,
]);
export const NAMESPACES = "namespaces";

export class Sources {
  readonly classes: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly #list: List;
  #grants: readonly ReferenceGrant[] | undefined;
  #namespaces: ReadonlyMap<string, Readonly<Record<string, string>>> | undefined;

  constructor(list: List) {
    this.#list = list;
    this.gateways = list(GATEWAYS) as readonly Gateway[];
    this.classes = list(GATEWAY_CLASSES) as readonly GatewayClass[];
  }

  /** The oldest first. */
  get routes(): readonly AnyRoute[] {
    return ([...this.#list(HTTP_ROUTES), ...this.#list(GRPC_ROUTES)] as AnyRoute[]).toSorted(byAge);
  }

  /** Whether something in a namespace may speak of something in another one. */
  permits(from: { group: string; kind: string; namespace: string }, to: { group: string; kind: string } & At): boolean {
    if (from.namespace === to.namespace) return true;
    this.#grants ??= this.#list(REFERENCE_GRANTS) as readonly ReferenceGrant[];
    return this.#grants.some(
      ({ metadata, spec }) =>
        metadata?.namespace === to.namespace &&
        spec?.from?.some((f) => f.group === from.group && f.kind === from.kind && f.namespace === from.namespace) &&
        spec.to?.some((t) => t.group === to.group && t.kind === to.kind && (!t.name || t.name === to.name)),
    );
  }

  /** Whether routes of a namespace may attach to a listener of a gateway in another one, or its own. */
  allows({ allowedRoutes }: Listener, gateway: string, namespace: string): boolean {
    const { from = "Same", selector } = allowedRoutes?.namespaces ?? {};
    if (from === "All") return true;
    if (from === "Same") return gateway === namespace;
    if (from !== "Selector" || !selector) return false;
    this.#namespaces ??= new Map(
      this.#list(NAMESPACES).map(({ metadata }) => [metadata?.name ?? "", metadata?.labels ?? {}]),
    );
    const labels = this.#namespaces.get(namespace);
    return labels !== undefined && matchesSelector(selector, labels);
  }
}

type At = { namespace: string; name: string };

const ageOf = ({ metadata }: KubeObject) =>
  `${metadata?.creationTimestamp ?? ""} ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;

/** The oldest first. */
export const byAge = (a: KubeObject, b: KubeObject): number => (ageOf(a) < ageOf(b) ? -1 : 1);
