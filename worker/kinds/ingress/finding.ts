/** Which rule of a table a request meets, and where it goes. */
import { joined } from "../../lib/filters.ts";
import { type Incoming, meets } from "./matching.ts";
import { hostName, own, patternsOf, type Route, type Routes, type Rule, type Share } from "./routes.ts";

/** The rule that goes before all others that the request meets. */
export function ruleFor(routes: Routes, asked: Incoming): Rule | undefined {
  const patterns = patternsOf(asked.host);
  const owner = ownerOf(routes, patterns);
  const mayMeet = (rule: Rule) => isFor(routes, rule, patterns, owner);
  for (const pattern of patterns) {
    const found = own(routes.rules, pattern)?.find((rule) => mayMeet(rule) && meets(rule, asked));
    if (found) return found;
  }
  for (const pattern of patterns) {
    const found = own(routes.defaults, pattern);
    if (found) return found;
  }
  return undefined;
}

/** The nearest of a gateway's listeners. */
const nearest = (hosts: readonly string[], patterns: readonly string[]): string | undefined =>
  patterns.find((pattern) => hosts.includes(pattern));

const namespaceOf = (gateway: string): string => gateway.slice(0, gateway.indexOf("/"));

/** The namespace of gateways with the listener that names a host the nearest; undefined where none names it. */
function ownerOf({ listeners = {} }: Routes, patterns: readonly string[]): string | undefined {
  const all = Object.entries(listeners);
  for (const pattern of patterns) {
    const found = pattern === "" ? undefined : all.find(([, hosts]) => hosts.includes(pattern));
    if (found) return namespaceOf(found[0]);
  }
  return undefined;
}

function isFor({ listeners }: Routes, { listener }: Rule, patterns: readonly string[], owner?: string): boolean {
  if (!listener) return true;
  if (owner !== undefined && owner !== namespaceOf(listener.gateway)) return false;
  return nearest(listeners?.[listener.gateway] ?? [], patterns) === listener.host;
}

/**
 * Whether a request is for another listener than the name by which its connection was made: browsers send it there when
 * they hear so. Without a route, whether any gateway makes such a difference.
 */
export function isMisdirected(
  { listeners = {} }: Routes,
  route: Route | undefined,
  host: string,
  named: string,
): boolean {
  const [asked, shown] = [patternsOf(host), patternsOf(hostName(named))];
  if (route && !route.listener) return false;
  const gateways = route?.listener ? [listeners[route.listener.gateway] ?? []] : Object.values(listeners);
  return gateways.some((hosts) => nearest(hosts, asked) !== nearest(hosts, shown));
}

/** `chance`, from 0 to 1, decides which Service is asked. Undefined where nothing matches. */
export function routeFor(routes: Routes, asked: Incoming, chance: number): Route | undefined {
  const rule = ruleFor(routes, asked);
  if (!rule) return undefined;
  const { shares, ...route } = rule;
  const share = shareOf(shares, chance);
  const filters = joined(rule.filters, share?.filters);
  return { ...route, ...(filters && { filters }), target: share?.target };
}

function shareOf(shares: readonly Share[], chance: number): Share | undefined {
  if (shares.length === 1 && shares[0]?.weight !== 0) return shares[0];
  let left = chance * shares.reduce((sum, { weight }) => sum + weight, 0);
  for (const share of shares) {
    left -= share.weight;
    if (left < 0) return share;
  }
  return undefined;
}
