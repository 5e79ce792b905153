/**
 * Rules as one table, and which of them a request meets; and the rules of Ingresses. A table is plain data: it may be sent
 * to another process.
 * https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
 */

import type { Filters } from "../../lib/filters.ts";
import type { NetworkingV1Ingress, NetworkingV1IngressBackend, NetworkingV1IngressClass } from "../generated/types.ts";
import { isServed, ownClasses, REDIRECT_ANNOTATION, type Scope, secretsOf, TIMEOUT_ANNOTATION } from "./class.ts";
import { inOrder, type Match } from "./order.ts";

/** A port of a Service, by number or name. */
export type Target = {
  namespace: string;
  service: string;
  port: number | string;
  /** Whatever the Service says of it. */
  speaks?: "h2c";
};

/** A Service that has a share of what meets a rule; what has no target cannot be served, and is told so. */
export type Share = { weight: number; target?: Target; filters?: Filters };

export type Rule = Match & {
  shares: Share[];
  filters?: Filters;
  /** The Ingress that says so, as `namespace/name`. */
  ingress?: string;
  /** Or the HTTPRoute. */
  route?: string;
  /** Plain HTTP is sent on to HTTPS. */
  redirects?: true;
  /** In which an answer has to begin, ms; 0 for no limit. */
  timeoutMs: number;
  /** The listener that it is for. What comes for the host of another one of the same gateway does not meet it. */
  listener?: { gateway: string; host: string };
};

/** A rule that a request has met, and the Service that it goes to; undefined where there is none. */
export type Route = Omit<Rule, "shares"> & { target: Target | undefined };

/** One that leads to a Service. */
export type Led = Route & { target: Target };

export const isLed = (route: Route): route is Led => route.target !== undefined;

/**
 * By host: a name, `*.` and a name for one label before it, a name after a dot for any number of them, or "" for all. Each
 * list in the order in which its rules are tried.
 */
export type Routes = {
  rules: Record<string, Rule[]>;
  /** For what meets no rule, by the hosts of their Ingresses, and "" for whatever else comes. */
  defaults: Record<string, Rule>;
  /** The hosts of each gateway's listeners. */
  listeners?: Record<string, string[]>;
};

type Ingress = Readonly<NetworkingV1Ingress>;

export const DEFAULT_TIMEOUT_MS = 60_000;

export const targetKey = ({ namespace, service, port, speaks }: Target): string =>
  `${namespace}/${service}:${port}${speaks ? ` ${speaks}` : ""}`;

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
  const rules = new Map<string, Rule[]>();
  const defaults = new Map<string, Rule>();
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

const isSame = (a: Rule, b: Rule) => a.path === b.path && a.isExact === b.isExact;

function routeTo(
  ingress: Ingress,
  host: string,
  path: string,
  isExact: boolean,
  { service }: NetworkingV1IngressBackend,
): Rule | undefined {
  const port = service?.port?.number ?? service?.port?.name;
  if (!service || port === undefined) return undefined;
  const { namespace = "", name = "" } = ingress.metadata ?? {};
  const target = { namespace, service: service.name, port };
  const own = { shares: [{ weight: 1, target }], ingress: `${namespace}/${name}`, timeoutMs: timeoutOf(ingress) };
  const route = { path: isExact ? path : path.replace(/\/$/, ""), isExact, ...own };
  return withRedirect(ingress, host, route);
}

function withRedirect(ingress: Ingress, host: string, route: Rule): Rule {
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
export function patternsOf(host: string): string[] {
  const labels = host.split(".");
  const suffixes = labels.slice(1).map((_, i) => `.${labels.slice(i + 1).join(".")}`);
  const wildcard = wildcardOf(host);
  return [...(host ? [host] : []), ...(wildcard ? [wildcard] : []), ...suffixes, ""];
}

/** Whether a rule names the host, be it with a wildcard. */
export const namesHost = ({ rules }: Routes, host: string): boolean =>
  patternsOf(host).some((pattern) => pattern !== "" && own(rules, pattern) !== undefined);

const rulesIn = ({ rules, defaults }: Routes): Rule[] => [...Object.values(rules).flat(), ...Object.values(defaults)];

/** All Services that answer what comes. */
export const answeringIn = (routes: Routes): Target[] =>
  rulesIn(routes).flatMap(({ shares }) => shares.flatMap(({ target }) => target ?? []));

/** All Services that a table leads to, those among them that hear copies. */
export const targetsOf = (routes: Routes): Target[] =>
  rulesIn(routes).flatMap(({ shares, filters }) => [
    ...shares.flatMap(({ target, filters: own }) => [
      ...(target ? [target] : []),
      ...(own?.mirrors ?? []).map((mirror) => mirror.target),
    ]),
    ...(filters?.mirrors ?? []).map((mirror) => mirror.target),
  ]);

/** One table of two. Of rules that are equal those of the first go first. */
export function both(a: Routes, b: Routes): Routes {
  const rules = { ...a.rules };
  for (const [host, more] of Object.entries(b.rules))
    rules[host] = [...(own(rules, host) ?? []), ...more].sort(inOrder);
  return { rules, defaults: { ...b.defaults, ...a.defaults }, listeners: { ...a.listeners, ...b.listeners } };
}

export const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

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
