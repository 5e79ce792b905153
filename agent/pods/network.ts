import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { ResolverConfig } from "../network/dns/resolv-conf.ts";

/** What pods need of the node's network. A sandbox's name holds its pod's uid, see `sandboxName`. */
export type PodNetwork = {
  /**
   * Makes a network namespace with an address, which it returns; in place of one of that name. The NetworkPolicies that
   * select the pod are in force then.
   */
  open(sandbox: string, pod: CoreV1Pod): Promise<string>;
  /** Ends a network namespace; one that is not there counts as ended. */
  close(sandbox: string): Promise<void>;
  /** undefined for a namespace that is not there, or not any more. */
  addressOf(sandbox: string): string | undefined;
  /** All addresses of the pod that has this one, which is the first of them. */
  allOf(address: string): string[];
  /** The file that stands for a namespace. */
  pathOf(sandbox: string): string;
  /** The names of all namespaces that are there. */
  opened(): string[];
  /** What the pod's resolv.conf says, by its dnsPolicy and dnsConfig; `warn` hears of what did not fit. */
  dns(pod: CoreV1Pod, warn: (message: string) => void): ResolverConfig;
};

const HOSTNAME_CHARACTERS = 63;
/** What the kernel keeps of a name. */
const KERNEL_NAME_CHARACTERS = 64;

/** A pod's short name, and the domain that its subdomain puts it in, "" without one. */
export function podNames({ metadata, spec }: CoreV1Pod, clusterDomain: string): { short: string; domain: string } {
  const { hostname, hostnameOverride, subdomain } = spec;
  const name = hostnameOverride ?? (hostname || metadata.name || "");
  const short = name.length > HOSTNAME_CHARACTERS ? name.slice(0, HOSTNAME_CHARACTERS).replace(/[-.]+$/, "") : name;
  const domain = subdomain && hostnameOverride === undefined;
  return { short, domain: domain ? `${subdomain}.${metadata.namespace}.svc.${clusterDomain}` : "" };
}

/**
 * The name that a pod's containers find themselves under. Throws when it is longer than the kernel has it.
 * https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-sethostnameasfqdn-field
 */
export function hostnameOf(pod: CoreV1Pod, nodeName: string, clusterDomain: string): string {
  if (pod.spec.hostNetwork) return nodeName;
  const { short, domain } = podNames(pod, clusterDomain);
  if (!domain || !pod.spec.setHostnameAsFQDN) return short;
  const full = `${short}.${domain}`;
  if (full.length > KERNEL_NAME_CHARACTERS)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${KERNEL_NAME_CHARACTERS} characters is the max, ${full.length} characters requested)`,
    );
  return full;
}

/** A pod's /etc/hosts. With the machine's network it begins with the machine's own. */
export function printHosts(
  pod: CoreV1Pod,
  ips: readonly string[],
  clusterDomain: string,
  machineHosts: string,
): string {
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`);
  const extra = aliases.length ? `\n# Entries added by HostAliases.\n${aliases.join("")}` : "";
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${machineHosts}${extra}`;
  const { short, domain } = podNames(pod, clusterDomain);
  return [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...ips.map((ip) => (domain ? `${ip}\t${short}.${domain}\t${short}` : `${ip}\t${short}`)),
    extra,
  ].join("\n");
}
