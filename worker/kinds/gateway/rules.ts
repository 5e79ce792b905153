/** Rules of routes as tables have them. */
import { parseDuration } from "../../lib/cel/times.ts";
import type { Filters, HeaderChange, PathChange } from "../../lib/filters.ts";
import type { Match, ValueMatch } from "../ingress/order.ts";
import { patternProblem } from "../ingress/patterns.ts";
import { DEFAULT_TIMEOUT_MS, type Rule, type Share } from "../ingress/routes.ts";
import { targetOf } from "./backends.ts";
import type { Sources } from "./sources.ts";
import type {
  AnyRoute,
  GrpcRouteMatch,
  HeaderFilter,
  HttpRouteMatch,
  NamedMatch,
  PathModifier,
  RouteFilter,
  RouteRule,
} from "./types.ts";

type AnyRule = RouteRule<HttpRouteMatch> | RouteRule<GrpcRouteMatch>;

const FILTERS = new Set([
  "RequestHeaderModifier",
  "ResponseHeaderModifier",
  "RequestRedirect",
  "URLRewrite",
  "RequestMirror",
  "CORS",
]);

/** What of a rule cannot be done; what meets it is told so by a 500. */
export function unsupported({ filters = [], backendRefs = [], matches = [] }: AnyRule): string | undefined {
  const all = [...filters, ...backendRefs.flatMap((reference) => reference.filters ?? [])];
  const strange = all.find(({ type }) => !FILTERS.has(type));
  if (strange) return `filters of type ${strange.type} are not served`;
  for (const pattern of (matches as AnyMatch[]).flatMap(patternsIn)) {
    const problem = patternProblem(pattern);
    if (problem) return `"${pattern.slice(0, MOST_QUOTED)}" ${problem}`;
  }
  return undefined;
}

const MOST_QUOTED = 100;

const REGULAR = "RegularExpression";

type AnyMatch = Omit<HttpRouteMatch, "method"> & { method?: string | GrpcRouteMatch["method"] };

function patternsIn({ path, headers = [], queryParams = [], method }: AnyMatch): string[] {
  const values = [...(path ? [path] : []), ...headers, ...queryParams].flatMap(({ type, value }) =>
    type === REGULAR && value !== undefined ? value : [],
  );
  if (typeof method !== "object" || method.type !== REGULAR) return values;
  // Each on its own, so that none reaches into the other, and as they are matched.
  return [...values, method.service ?? "", method.method ?? "", grpcMatch({ method }).path];
}

/** In the route's own order. */
export function rulesOf(route: AnyRoute, sources: Sources): Rule[] {
  const toMatch = (match: HttpRouteMatch | GrpcRouteMatch): Match =>
    route.kind === "GRPCRoute" ? grpcMatch(match as GrpcRouteMatch) : httpMatch(match as HttpRouteMatch);
  const { namespace, name } = route.metadata ?? {};
  const own = route.kind === "HTTPRoute" ? { route: `${namespace}/${name}` } : {};
  return ((route.spec?.rules ?? []) as AnyRule[]).flatMap((rule) => {
    const matches = rule.matches?.length ? rule.matches : [{}];
    const filters = filtersOf(route, rule.filters, sources);
    const shares = unsupported(rule) ? [] : sharesOf(route, rule, sources);
    const timeoutMs = route.kind === "GRPCRoute" ? 0 : timeoutOf(rule);
    return matches.map((match) => ({ ...toMatch(match), ...own, shares, ...(filters && { filters }), timeoutMs }));
  });
}

const sharesOf = (route: AnyRoute, { backendRefs = [] }: AnyRule, sources: Sources): Share[] =>
  backendRefs.map((reference) => {
    const target = targetOf(route, reference, sources);
    const filters = filtersOf(route, reference.filters, sources);
    return { weight: reference.weight ?? 1, ...(target && { target }), ...(filters && { filters }) };
  });

function httpMatch({ path, method, headers, queryParams }: HttpRouteMatch): Match {
  const { type = "PathPrefix", value = "/" } = path ?? {};
  return {
    path: type === "PathPrefix" ? value.replace(/\/$/, "") : value,
    isExact: type === "Exact",
    ...(type === REGULAR && { isPattern: true as const }),
    ...(method && { method }),
    ...(headers?.length && { headers: valuesOf(headers, (name) => name.toLowerCase()) }),
    ...(queryParams?.length && { queries: valuesOf(queryParams) }),
  };
}

/** Of equal names the first counts. */
function valuesOf(matches: readonly NamedMatch[], nameOf = (name: string) => name): ValueMatch[] {
  const byName = new Map<string, ValueMatch>();
  for (const { type, name: said, value } of matches) {
    const name = nameOf(said);
    if (!byName.has(name)) byName.set(name, { name, value, ...(type === REGULAR && { isPattern: true as const }) });
  }
  return [...byName.values()];
}

const quoted = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** gRPC calls `/SERVICE/METHOD`. */
function grpcMatch({ method, headers }: GrpcRouteMatch): Match {
  const { type = "Exact", service, method: name } = method ?? {};
  const common = headers?.length ? { headers: valuesOf(headers, (header) => header.toLowerCase()) } : {};
  if (service === undefined && name === undefined) return { path: "", isExact: false, ...common };
  if (type !== REGULAR && service !== undefined)
    return { path: name === undefined ? `/${service}` : `/${service}/${name}`, isExact: name !== undefined, ...common };
  const part = (said: string | undefined) =>
    said === undefined ? "[^/]+" : type === REGULAR ? `(?:${said})` : quoted(said);
  return { path: `/${part(service)}/${part(name)}`, isExact: false, isPattern: true, ...common };
}

/** Timers take no longer ones. */
const LONGEST_MS = 2 ** 31 - 1;

function timeoutOf({ timeouts }: AnyRule): number {
  const { request, backendRequest } = timeouts ?? {};
  const said = [request, backendRequest].flatMap((text) => {
    const nanos = text === undefined ? undefined : parseDuration(text)?.nanos;
    return nanos === undefined ? [] : Number(nanos / 1_000_000n);
  });
  if (said.length === 0) return DEFAULT_TIMEOUT_MS;
  const limits = said.filter((ms) => ms > 0);
  return limits.length > 0 ? Math.min(...limits, LONGEST_MS) : 0;
}

const changeOf = ({ set, add, remove }: HeaderFilter): HeaderChange => ({
  ...(set?.length && { set: set.map(({ name, value }): [string, string] => [name, value]) }),
  ...(add?.length && { add: add.map(({ name, value }): [string, string] => [name, value]) }),
  ...(remove?.length && { remove }),
});

const pathOf = ({ type, replaceFullPath, replacePrefixMatch }: PathModifier): PathChange =>
  type === "ReplaceFullPath" ? { full: replaceFullPath ?? "/" } : { prefix: replacePrefixMatch ?? "/" };

function filtersOf(
  route: AnyRoute,
  filters: readonly RouteFilter[] | undefined,
  sources: Sources,
): Filters | undefined {
  if (!filters?.length) return undefined;
  const made: Filters = {};
  for (const filter of filters) {
    const { requestHeaderModifier, responseHeaderModifier, requestRedirect, urlRewrite, requestMirror, cors } = filter;
    if (requestHeaderModifier) made.request = [...(made.request ?? []), changeOf(requestHeaderModifier)];
    if (responseHeaderModifier) made.response = [...(made.response ?? []), changeOf(responseHeaderModifier)];
    if (requestRedirect) {
      const { scheme, hostname, port, path, statusCode = 302 } = requestRedirect;
      made.redirect = {
        status: statusCode,
        ...(scheme && { scheme }),
        ...(hostname && { host: hostname }),
        ...(port && { port }),
        ...(path && { path: pathOf(path) }),
      };
    }
    if (urlRewrite) {
      const { hostname, path } = urlRewrite;
      made.rewrite = { ...(hostname && { host: hostname }), ...(path && { path: pathOf(path) }) };
    }
    if (cors) {
      const { allowOrigins = ["*"], allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge = 5 } = cors;
      made.cors = {
        origins: allowOrigins,
        maxAgeSeconds: maxAge,
        ...(allowCredentials && { credentials: true as const }),
        ...(allowMethods?.length && { methods: allowMethods }),
        ...(allowHeaders?.length && { headers: allowHeaders }),
        ...(exposeHeaders?.length && { exposed: exposeHeaders }),
      };
    }
    if (requestMirror) {
      const { backendRef, percent, fraction } = requestMirror;
      const target = targetOf(route, backendRef, sources);
      const share = percent ?? (fraction && (100 * fraction.numerator) / (fraction.denominator ?? 100));
      if (target) made.mirrors = [...(made.mirrors ?? []), { target, ...(share !== undefined && { percent: share }) }];
    }
  }
  return made;
}
