/** Which routes attach to which listeners, and what is to be told of each. */
import { backendProblem } from "./backends.ts";
import { isServed, type ListenerState, type Problem, sharedHostnames } from "./listeners.ts";
import { unsupported } from "./rules.ts";
import type { Sources } from "./sources.ts";
import { type AnyRoute, type Gateway, GROUP, type ParentReference } from "./types.ts";

/** A gateway of ours with its listeners, by `namespace/name`. */
export type Gateways = ReadonlyMap<string, { gateway: Gateway; listeners: ListenerState[] }>;

export type Attachment = { gateway: string; state: ListenerState; hostnames: string[] };

/** What becomes of one reference to a gateway of ours. */
export type Parent = { parentRef: ParentReference; attachments: Attachment[]; refused?: Problem };

export const isGateway = ({ group = GROUP, kind = "Gateway" }: ParentReference): boolean =>
  group === GROUP && kind === "Gateway";

export function parentsOf(route: AnyRoute, gateways: Gateways, sources: Sources): Parent[] {
  const own = route.metadata?.namespace ?? "";
  return (route.spec?.parentRefs ?? []).flatMap((parentRef) => {
    const key = `${parentRef.namespace ?? own}/${parentRef.name}`;
    const found = isGateway(parentRef) ? gateways.get(key) : undefined;
    return found ? [parentOf(route, parentRef, key, found, sources)] : [];
  });
}

function parentOf(
  route: AnyRoute,
  parentRef: ParentReference,
  key: string,
  { gateway, listeners }: { gateway: Gateway; listeners: ListenerState[] },
  sources: Sources,
): Parent {
  const { sectionName, port } = parentRef;
  const refuse = (reason: string, message: string): Parent => ({
    parentRef,
    attachments: [],
    refused: { reason, message },
  });
  const named = listeners.filter(
    ({ listener }) =>
      (sectionName === undefined || listener.name === sectionName) && (port === undefined || listener.port === port),
  );
  if (named.length === 0) return refuse("NoMatchingParent", "the gateway has no such listener");
  const namespace = route.metadata?.namespace ?? "";
  const allowing = named.filter(
    ({ listener, kinds }) =>
      kinds.some(({ kind }) => kind === route.kind) &&
      sources.allows(listener, gateway.metadata?.namespace ?? "", namespace),
  );
  if (allowing.length === 0) return refuse("NotAllowedByListeners", "no listener allows this route");
  const attachments = allowing.flatMap((state) => {
    const hostnames = sharedHostnames(state.hostname, route);
    return hostnames ? [{ gateway: key, state, hostnames }] : [];
  });
  if (attachments.length === 0)
    return refuse("NoMatchingListenerHostname", "no listener has a hostname that the route has");
  const usable = attachments.filter(({ state }) => !state.refused && !state.conflict);
  if (usable.length === 0) return refuse("NoMatchingParent", "no listener of the gateway is accepted");
  const rules = route.spec?.rules ?? [];
  const strange = rules.map(unsupported).filter((problem) => problem !== undefined);
  if (strange[0] !== undefined && strange.length === rules.length) return refuse("UnsupportedValue", strange[0]);
  return { parentRef, attachments: usable };
}

/** Attachments by which requests come. */
export const served = (parents: readonly Parent[]): Attachment[] =>
  parents.flatMap(({ attachments }) => attachments).filter(({ state }) => isServed(state));

/** Why a route's references do not all lead somewhere. */
export function unresolved(
  route: AnyRoute,
  sources: Sources,
  known: Parameters<typeof backendProblem>[3],
): Problem | undefined {
  for (const { backendRefs = [], filters = [] } of route.spec?.rules ?? []) {
    const mirrored = filters.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? []);
    for (const reference of [...backendRefs, ...mirrored]) {
      const problem = backendProblem(route, reference, sources, known);
      if (problem) return problem;
    }
  }
  return undefined;
}
