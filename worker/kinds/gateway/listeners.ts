/** What becomes of a gateway's listeners: which are served, and what is to be told of each. */
import type { Sources } from "./sources.ts";
import { type AnyRoute, type Gateway, GROUP, type Listener, type Reference, type RouteKind } from "./types.ts";

/** Why something is not so, as conditions say it. */
export type Problem = { reason: string; message: string };

export type ListenerState = {
  listener: Listener;
  /** In small letters; "" for all. */
  hostname: string;
  kinds: RouteKind[];
  /** It cannot be what it is. */
  refused?: Problem;
  conflict?: Problem;
  unresolved?: Problem;
  /** `namespace/name` of Secrets. */
  certificates: string[];
};

/** Whether routes get anywhere by it. */
export const isServed = ({ listener, refused, conflict, certificates }: ListenerState): boolean =>
  !refused && !conflict && (listener.protocol !== "HTTPS" || certificates.length > 0);

const ROUTE_KINDS = ["HTTPRoute", "GRPCRoute"];

/** SSH, the API's and the node's own, beside what kube-proxies listen on. */
const RESERVED = new Set([22, 6443, 10_250, 10_256]);

/** Whether a Secret has a certificate and a key. */
export type HasCertificate = (namespace: string, name: string) => boolean;

export function listenersOf(gateway: Gateway, sources: Sources, hasCertificate: HasCertificate): ListenerState[] {
  const states = (gateway.spec?.listeners ?? []).map((listener) => stateOf(gateway, listener, sources, hasCertificate));
  for (const state of states) {
    const conflict = conflictOf(state, states);
    if (conflict) state.conflict = conflict;
  }
  return states;
}

function stateOf(
  gateway: Gateway,
  listener: Listener,
  sources: Sources,
  hasCertificate: HasCertificate,
): ListenerState {
  const wanted = listener.allowedRoutes?.kinds ?? [];
  const known = wanted.filter(({ group = GROUP, kind }) => group === GROUP && ROUTE_KINDS.includes(kind));
  const kinds = (wanted.length > 0 ? known.map(({ kind }) => kind) : ROUTE_KINDS).map((kind) => ({
    group: GROUP,
    kind,
  }));
  const isHttp = listener.protocol === "HTTP" || listener.protocol === "HTTPS";
  const refused = refusalOf(listener, gateway);
  const tls = listener.protocol === "HTTPS" ? certificatesOf(gateway, listener, sources, hasCertificate) : undefined;
  const unresolved =
    wanted.length > known.length
      ? { reason: "InvalidRouteKinds", message: "allowedRoutes names kinds that this listener cannot lead" }
      : tls?.unresolved;
  return {
    listener,
    hostname: (listener.hostname ?? "").toLowerCase(),
    kinds: isHttp ? kinds : [],
    ...(refused && { refused }),
    ...(unresolved && { unresolved }),
    certificates: tls?.certificates ?? [],
  };
}

function refusalOf({ protocol, port, tls }: Listener, gateway: Gateway): Problem | undefined {
  if (protocol !== "HTTP" && protocol !== "HTTPS")
    return { reason: "UnsupportedProtocol", message: `protocol ${protocol} is not served; HTTP and HTTPS are` };
  if (protocol === "HTTPS" && tls?.mode === "Passthrough")
    return { reason: "UnsupportedProtocol", message: "TLS is not passed through; mode Terminate is served" };
  if (protocol === "HTTPS" && (tls?.frontendValidation || asksClients(gateway, port)))
    return { reason: "UnsupportedValue", message: "certificates of clients are not asked for, as tls wants it" };
  if (RESERVED.has(port)) return { reason: "PortUnavailable", message: `port ${port} is the nodes' own` };
  if (port === (protocol === "HTTP" ? 443 : 80))
    return { reason: "PortUnavailable", message: `port ${port} of the nodes is not for ${protocol}` };
  return undefined;
}

/** What is said of a port goes before what is said of all. */
function asksClients({ spec }: Gateway, port: number): boolean {
  const { default: ofAll, perPort = [] } = spec?.tls?.frontend ?? {};
  const ofPort = perPort.find((one) => one.port === port);
  return (ofPort ? ofPort.tls : ofAll)?.validation !== undefined;
}

function conflictOf({ listener, hostname }: ListenerState, states: readonly ListenerState[]): Problem | undefined {
  const others = states.filter((other) => other.listener !== listener && other.listener.port === listener.port);
  if (others.some((other) => other.listener.protocol !== listener.protocol))
    return { reason: "ProtocolConflict", message: `listeners of port ${listener.port} speak different protocols` };
  if (others.some((other) => other.hostname === hostname))
    return { reason: "HostnameConflict", message: `listeners of port ${listener.port} have the same hostname` };
  return undefined;
}

function certificatesOf(
  { metadata }: Gateway,
  { tls }: Listener,
  sources: Sources,
  hasCertificate: HasCertificate,
): { certificates: string[]; unresolved?: Problem } {
  const own = metadata?.namespace ?? "";
  const certificates: string[] = [];
  let unresolved: Problem | undefined;
  for (const reference of tls?.certificateRefs ?? []) {
    const namespace = reference.namespace ?? own;
    const problem = certificateProblem(reference, own, sources, hasCertificate);
    if (problem) unresolved ??= problem;
    else certificates.push(`${namespace}/${reference.name}`);
  }
  if (certificates.length === 0)
    unresolved ??= { reason: "InvalidCertificateRef", message: "tls names no certificate" };
  return { certificates, ...(unresolved && { unresolved }) };
}

function certificateProblem(
  { group = "", kind = "Secret", namespace, name }: Reference,
  own: string,
  sources: Sources,
  hasCertificate: HasCertificate,
): Problem | undefined {
  const at = { namespace: namespace ?? own, name };
  if (group !== "" || kind !== "Secret")
    return { reason: "InvalidCertificateRef", message: `${kind} "${name}": only Secrets have certificates` };
  if (!sources.permits({ group: GROUP, kind: "Gateway", namespace: own }, { group: "", kind, ...at }))
    return { reason: "RefNotPermitted", message: `no ReferenceGrant permits secret "${at.namespace}/${name}"` };
  if (!hasCertificate(at.namespace, name))
    return {
      reason: "InvalidCertificateRef",
      message: `secret "${at.namespace}/${name}" has no certificate and key in PEM`,
    };
  return undefined;
}

/** Hostnames that a route and a listener share; "" for all. Undefined where there is none. */
export function sharedHostnames(listener: string, route: AnyRoute): string[] | undefined {
  const own = (route.spec?.hostnames ?? []).map((name) => name.toLowerCase());
  if (own.length === 0) return [listener];
  const shared = own.flatMap((name) => intersection(listener, name) ?? []);
  return shared.length > 0 ? [...new Set(shared)] : undefined;
}

function intersection(a: string, b: string): string | undefined {
  if (a === "" || a === b) return b;
  if (covers(a, b)) return b;
  return covers(b, a) ? a : undefined;
}

/** `*` stands for one label or more. */
const covers = (pattern: string, name: string): boolean => pattern.startsWith("*.") && name.endsWith(pattern.slice(1));
