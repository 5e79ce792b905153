/**
 * The rules of all Ingresses as one table, and which of them a request meets. A table is plain data: it may be sent to
 * another process.
 * https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
 */
import type { NetworkingV1Ingress, NetworkingV1IngressBackend, NetworkingV1IngressClass } from "../generated/types.ts";
import { isServed, ownClasses, REDIRECT_ANNOTATION, type Scope, secretsOf, TIMEOUT_ANNOTATION } from "./class.ts";

/** A port of a Service, by number or name. */
export type Target = { namespace: string; service: string; port: number | string };

export type Route = {
  /** Of a prefix without the slash at its end; "" is the prefix of all paths. */
  path: string;
  isExact: boolean;
  target: Target;
  /** The Ingress that says so, as `namespace/name`. */
  ingress?: string;
  /** Plain HTTP is sent on to HTTPS. */
  redirects?: true;
  /** In which an answer has to begin, ms; 0 for no limit. */
  timeoutMs: number;
};

/** By host: a name, `*.` and a name, or "" for all. Each list in the order in which its routes are tried. */
export type Routes = {
  rules: Record<string, Route[]>;
  /** For what meets no rule, by the hosts of their Ingresses, and "" for whatever else comes. */
  defaults: Record<string, Route>;
};

type Ingress = Readonly<NetworkingV1Ingress>;

export const DEFAULT_TIMEOUT_MS = 60_000;

export const targetKey = ({ namespace, service, port }: Target): string => `${namespace}/${service}:${port}`;

/** Older Ingresses go first where two say the same. */
export function byAge(a: Ingress, b: Ingress): number {
  const key = ({ metadata }: Ingress) =>
    `${metadata?.creationTimestamp ?? ""} ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
  return key(a) < key(b) ? -1 : 1;
}

/** Those that are served in one place, the oldest first. */
export function servedIngresses<T extends Ingress>(
  ingresses: Iterable<T>,
  classes: Iterable<Readonly<NetworkingV1IngressClass>>,
  scope: Scope,
): T[] {
  const own = ownClasses(classes);
  if (own.size === 0) return [];
  return [...ingresses].filter((ingress) => isServed(ingress, own, scope)).toSorted(byAge);
}

/** `ingresses` are those to be served, the oldest first. */
export function routesOf(ingresses: readonly Ingress[]): Routes {
  const rules = new Map<string, Route[]>();
  const defaults = new Map<string, Route>();
  for (const ingress of ingresses) {
    const { defaultBackend, rules: own } = ingress.spec ?? {};
    const fallback = defaultBackend && routeTo(ingress, "", "", false, defaultBackend);
    for (const { host: said, http } of own ?? []) {
      const host = (said ?? "").toLowerCase();
      const known = rules.get(host) ?? [];
      rules.set(host, known);
      for (const { path, pathType, backend } of http?.paths ?? []) {
        const route = routeTo(ingress, host, path ?? "", pathType === "Exact", backend);
        if (route && !known.some((other) => isSame(other, route))) known.push(route);
      }
      if (fallback && !defaults.has(host)) defaults.set(host, withRedirect(ingress, host, fallback));
    }
    if (fallback && !defaults.has("")) defaults.set("", fallback);
  }
  for (const routes of rules.values()) routes.sort(inOrder);
  return { rules: Object.fromEntries(rules), defaults: Object.fromEntries(defaults) };
}

const isSame = (a: Route, b: Route) => a.path === b.path && a.isExact === b.isExact;

/** The longest path first, and of two the exact one. */
const inOrder = (a: Route, b: Route) => b.path.length - a.path.length || Number(b.isExact) - Number(a.isExact);

function routeTo(
  ingress: Ingress,
  host: string,
  path: string,
  isExact: boolean,
  { service }: NetworkingV1IngressBackend,
): Route | undefined {
  const port = service?.port?.number ?? service?.port?.name;
  if (!service || port === undefined) return undefined;
  const { namespace = "", name = "" } = ingress.metadata ?? {};
  const target = { namespace, service: service.name, port };
  const own = { target, ingress: `${namespace}/${name}`, timeoutMs: timeoutOf(ingress) };
  const route = { path: isExact ? path : path.replace(/\/$/, ""), isExact, ...own };
  return withRedirect(ingress, host, route);
}

function withRedirect(ingress: Ingress, host: string, route: Route): Route {
  const wanted = ingress.metadata?.annotations?.[REDIRECT_ANNOTATION] === "true";
  return wanted && hasCertificate(ingress, host) ? { ...route, redirects: true } : route;
}

/** Hosts that are not named have the certificate that is for all. */
function hasCertificate({ spec }: Ingress, host: string): boolean {
  return (spec?.tls ?? []).some(
    ({ hosts }) => !hosts?.length || hosts.some((name) => name === host || covers(name, host)),
  );
}

function timeoutOf({ metadata }: Ingress): number {
  const said = metadata?.annotations?.[TIMEOUT_ANNOTATION] ?? "";
  return /^\d{1,6}$/.test(said) ? Number(said) * 1000 : DEFAULT_TIMEOUT_MS;
}

/** Whether a name with a wildcard stands for another: `*` is one label, neither none nor two. */
export function covers(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") && wildcardOf(name) === pattern.toLowerCase();
}

/** The pattern that a name falls under; undefined for one of a single label. */
function wildcardOf(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot > 0 ? `*${name.slice(dot)}` : undefined;
}

/** The host that a request names, as tables have it: without its port and the dot of the root. */
export function hostName(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}

/** Patterns for a host, the nearest first. */
const patternsOf = (host: string): string[] => {
  const wildcard = wildcardOf(host);
  return [...(host ? [host] : []), ...(wildcard ? [wildcard] : []), ""];
};

/** `host` as `hostName` gives it; `path` without a query, its dots resolved. Undefined where nothing matches. */
export function routeFor(routes: Routes, host: string, path: string): Route | undefined {
  const patterns = patternsOf(host);
  for (const pattern of patterns) {
    const found = own(routes.rules, pattern)?.find((route) => matches(route, path));
    if (found) return found;
  }
  for (const pattern of patterns) {
    const found = own(routes.defaults, pattern);
    if (found) return found;
  }
  return undefined;
}

/** Whether a rule names the host, be it with a wildcard. */
export const namesHost = ({ rules }: Routes, host: string): boolean =>
  patternsOf(host).some((pattern) => pattern !== "" && own(rules, pattern) !== undefined);

const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Prefixes are of whole elements: `/a` is one of `/a/b`, not of `/ab`. */
function matches({ path: rule, isExact }: Route, path: string): boolean {
  if (isExact) return path === rule;
  return path.startsWith(rule) && (path.length === rule.length || path[rule.length] === "/");
}

/** A certificate of an Ingress: which hosts it is for, and the Secret that has it; no hosts stand for all. */
export type CertificateUse = { namespace: string; secret: string; hosts: string[] };

export const certificatesOf = (ingresses: readonly Ingress[]): CertificateUse[] =>
  ingresses.flatMap(({ metadata, spec }) =>
    (spec?.tls ?? []).flatMap(({ hosts, secretName: secret }) => {
      const names = (hosts ?? []).map((name) => name.toLowerCase());
      return secret ? [{ namespace: metadata?.namespace ?? "", secret, hosts: names }] : [];
    }),
  );

/** Every Secret that nodes need for these, as `namespace/name`. */
export const secretKeysOf = (ingresses: readonly Ingress[]): ReadonlySet<string> =>
  new Set(ingresses.flatMap((ingress) => secretsOf(ingress).map((name) => `${ingress.metadata?.namespace}/${name}`)));
