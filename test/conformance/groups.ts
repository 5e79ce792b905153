/** What the suites' tests are about: the conformance tests, and groups of others that are run by name. */
import { areaOf, markdown } from "./results.ts";

export const CONFORMANCE = "conformance";
export const NETWORK_POLICY = "network-policy";
export const GATEWAY = "gateway-api";
/** On a cluster that has IPv6 too. */
export const DUAL_STACK = "dual-stack";

/** Run when no group is named; the others' tests take hours. */
export const USUAL = [CONFORMANCE, "sig-api-machinery", "sig-auth", "sig-cli", "sig-instrumentation"];

/** Every group, in the order of the table. All but the first hold what is in no earlier one. */
export const GROUPS = [
  ...USUAL,
  "sig-apps",
  "sig-autoscaling",
  NETWORK_POLICY,
  DUAL_STACK,
  "sig-network",
  "sig-scheduling",
  "sig-storage",
  GATEWAY,
];

export const isConformance = (name: string) => name.includes("[Conformance]");

/** The group of a test; none for those that are not run here. */
export function groupOf(name: string): string | undefined {
  if (isConformance(name)) return CONFORMANCE;
  if (reasonAgainst(name)) return undefined;
  if (name.startsWith("[sig-network] Netpol")) return NETWORK_POLICY;
  if (name.includes("[Feature:IPv6DualStack]")) return DUAL_STACK;
  const area = areaOf(name);
  return GROUPS.includes(area) ? area : undefined;
}

/** Why tests of the groups' areas are not run. A test has the first reason that it fits. */
const REASONS: readonly { why: string; tests: RegExp }[] = [
  { why: "Upstream doubts them", tests: /\[Flaky\]/ },
  { why: "Their features are off by default", tests: /OffByDefault|\[Alpha\]|\[Feature:(CBOR|StorageVersionAPI)\]/ },
  { why: "They take apart the machine of the control plane or a kubelet", tests: /\[Disruptive\]/ },
  {
    why: "They ask for a cloud, or to make nodes",
    tests:
      /Cluster ?(Size|ScaleUp)|KubeDNSAutoscaler|Provider:GCE|cloud load-balancer|\[Driver: (azure|cinder|vsphere|pd\.csi)|gce-localssd|AWS KMS|StorageProvider/i,
  },
  { why: "They are of Windows", tests: /Feature:Windows|\(ntfs\)/ },
  {
    why: "The kernel of the test machine has no SCTP, NFS or iSCSI",
    tests: /SCTPConnectivity|\[Driver: (nfs3?|iscsi)\]|PersistentVolumes NFS/,
  },
  {
    why: "Their images are made of neither Go modules nor Debian's packages: CSI drivers, databases, agnhost's CoreDNS, what a registry keeps behind credentials",
    tests:
      /csi-hostpath|CSI Mock|CSI ?Node|CSI Inline|Flexvolumes?|clustered applications|StatefulUpgrade|private image|DynamicProvisioner External|configurable pod resolv\.conf/i,
  },
  {
    why: "The suite skips them: the volume's driver has nothing of the kind",
    tests:
      /\[Driver: (emptydir|hostPath(Symlink)?)\] \[Testpattern: (?!Inline-volume \(default)|\[Driver: local\] \[[^\]]*\] \[Testpattern: (?!Pre-prov)/,
  },
  {
    why: "The suite's cluster has no way to the Internet",
    tests: /Networking-(IPv|DNS)/,
  },
  { why: "They measure speed", tests: /Networking-Performance|PerformanceDNS/ },
  {
    why: "They ask kube-proxy, CoreDNS or kube-controller-manager, which are not there",
    tests: /KubeProxy|kube-proxy urls|DNS configMap nameserver|Volume metrics/,
  },
];

/** Why a test is not run; none for those that are. */
export const reasonAgainst = (name: string) => REASONS.find(({ tests }) => tests.test(name))?.why;

/** A Markdown table: how many tests of the groups' areas are not run, and why. */
export function leftOut(names: readonly string[]): string {
  const reasons = names
    .filter((name) => GROUPS.includes(areaOf(name)) && !isConformance(name))
    .flatMap((name) => reasonAgainst(name) ?? []);
  const rows = REASONS.map(({ why }) => [why, String(reasons.filter((reason) => reason === why).length)]);
  return markdown([["why", "tests"], ...rows]);
}
