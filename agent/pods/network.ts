import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { ResolverConfig } from "../network/dns/resolv-conf.ts";

/** What pods need of the node's network. A sandbox's name holds its pod's uid, see `sandboxName`. */
export type PodNetwork = {
  /** Makes a network namespace with an address, which it returns; in place of one of that name. */
  open(sandbox: string): Promise<string>;
  /** Ends a network namespace; one that is not there counts as ended. */
  close(sandbox: string): Promise<void>;
  /** undefined for a namespace that is not there, or not any more. */
  addressOf(sandbox: string): string | undefined;
  /** The file that stands for a namespace. */
  pathOf(sandbox: string): string;
  /** The names of all namespaces that are there. */
  opened(): string[];
  /** What the pod's resolv.conf says, by its dnsPolicy and dnsConfig. */
  dns(pod: CoreV1Pod): ResolverConfig;
};

/** The name that a pod's containers find themselves under; at most 63 characters, as the kernel has it. */
export function hostnameOf(pod: CoreV1Pod, nodeName: string): string {
  if (pod.spec.hostNetwork) return nodeName;
  const name = pod.spec.hostnameOverride ?? pod.spec.hostname ?? pod.metadata.name ?? "";
  return name.slice(0, 63).replace(/[-.]+$/, "");
}

/** A pod's /etc/hosts. With the machine's network it begins with the machine's own. */
export function printHosts(pod: CoreV1Pod, ip: string, hostname: string, domain: string, machineHosts: string): string {
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t"));
  const extra = aliases.length ? ["", "# Entries added by HostAliases.", ...aliases] : [];
  if (pod.spec.hostNetwork)
    return ["# Kubernetes-managed hosts file (host network).", machineHosts.trimEnd(), ...extra, ""].join("\n");
  const { subdomain } = pod.spec;
  const full = subdomain ? `${hostname}.${subdomain}.${pod.metadata.namespace}.svc.${domain}\t` : "";
  return [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    `${ip}\t${full}${hostname}`,
    ...extra,
    "",
  ].join("\n");
}
