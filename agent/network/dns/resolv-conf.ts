import { readFileSync } from "node:fs";
import type { Pod } from "../types.ts";

/** What a resolver is set up with: resolv.conf(5). */
export type ResolverConfig = { servers: string[]; searches: string[]; options: string[] };

/** The kubelet's limits. The first is libc's; a longer search makes some versions of it abort. */
const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 253;
const MAX_SEARCH_LINE_CHARACTERS = 2048;

export function parseResolvConf(text: string): ResolverConfig {
  const config: ResolverConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const [key, ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (key === "nameserver" && values[0]) config.servers.push(values[0]);
    if (key === "search" || key === "domain")
      config.searches = values.map((v) => v.replace(/(?<=.)\.$/, "")).filter((v) => v !== ".");
    if (key === "options") config.options.push(...values);
  }
  return config;
}

export function renderResolvConf({ servers, searches, options }: ResolverConfig): string {
  return [
    ...(searches.length ? [`search ${searches.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}

/**
 * The node's own resolvers. Where its resolv.conf names only a resolver on loopback, which pods cannot reach, the file
 * in which systemd-resolved names the real ones is taken.
 */
export function readNodeResolvers(paths = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]): ResolverConfig {
  const configs = paths.flatMap((path) => {
    try {
      return [parseResolvConf(readFileSync(path, "utf8"))];
    } catch {
      return [];
    }
  });
  const reachable = configs.find(({ servers }) => servers.some((server) => !isLoopback(server)));
  return reachable ?? configs[0] ?? { servers: [], searches: [], options: [] };
}

const isLoopback = (address: string) => address.startsWith("127.") || address === "::1";

export type DnsContext = { dnsAddress: string; clusterDomain: string; node: ResolverConfig };

/**
 * What a pod's resolver is set up with. `warn` hears what was left out, in the kubelet's words.
 * https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
 */
export function podResolver(
  { metadata, spec }: Pod,
  { dnsAddress, clusterDomain, node }: DnsContext,
  warn: (message: string) => void = () => {},
): ResolverConfig {
  const policy = spec?.dnsPolicy ?? "ClusterFirst";
  const byCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !spec?.hostNetwork);
  const svc = `svc.${clusterDomain}`;
  const none: ResolverConfig = { servers: [], searches: [], options: [] };
  const cluster: ResolverConfig = {
    servers: [dnsAddress],
    searches: [`${metadata?.namespace ?? "default"}.${svc}`, svc, clusterDomain, ...node.searches],
    options: ["ndots:5"],
  };
  const base = policy === "None" ? none : byCluster ? cluster : node;
  const own = spec?.dnsConfig;
  return {
    servers: limitedServers(unique([...base.servers, ...(own?.nameservers ?? [])]), warn),
    searches: limitedSearches(unique([...base.searches, ...(own?.searches ?? [])]), warn),
    options: mergeOptions(base.options, own?.options ?? []),
  };
}

const unique = (list: readonly string[]) => [...new Set(list)];

function mergeOptions(base: readonly string[], own: readonly { name?: string; value?: string }[]): string[] {
  const named = new Map(base.map((option) => [option.split(":")[0] ?? option, option]));
  for (const { name, value } of own) if (name) named.set(name, value ? `${name}:${value}` : name);
  return [...named.values()];
}

function limitedServers(servers: readonly string[], warn: (message: string) => void): string[] {
  const kept = servers.slice(0, MAX_SERVERS);
  if (kept.length < servers.length)
    warn(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${kept.join(" ")}`,
    );
  return kept;
}

function limitedSearches(searches: readonly string[], warn: (message: string) => void): string[] {
  const kept = searches.slice(0, MAX_SEARCHES).filter((search) => search.length <= MAX_SEARCH_CHARACTERS);
  while (kept.join(" ").length > MAX_SEARCH_LINE_CHARACTERS) kept.pop();
  if (kept.length < searches.length)
    warn(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${kept.join(" ")}`,
    );
  return kept;
}
