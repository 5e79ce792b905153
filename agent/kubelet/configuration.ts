/**
 * This node's settings, as a kubelet's would be written.
 * https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */

import { EVICTION_HARD, type KubeletConfiguration } from "../node/settings.ts";

export type Settings = {
  /** Where the node's own API listens; 0 for nowhere. */
  port: number;
  clusterDomain: string;
  dnsAddress: string;
  podCIDR: string;
  /** What the administrator has said of the node. */
  given: KubeletConfiguration;
  runtimeEndpoint: string;
  cgroupVersion: 1 | 2;
};

/** Only what is true here is said: what a kubelet has beside it, nodes of Skerry have no setting for. */
export function kubeletConfiguration(settings: Settings): Record<string, unknown> {
  // These are no part of a KubeletConfiguration elsewhere.
  const { nodeLabels: _, runtimeHandlers: __, ...shown } = settings.given;
  const { port, clusterDomain, dnsAddress, podCIDR, runtimeEndpoint, cgroupVersion } = settings;
  return {
    enableServer: port !== 0,
    ...(port !== 0 && { address: "0.0.0.0", port }),
    serverTLSBootstrap: true,
    authentication: {
      x509: { clientCAFile: "" },
      webhook: { enabled: true, cacheTTL: "2m0s" },
      anonymous: { enabled: false },
    },
    authorization: { mode: "Webhook", webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" } },
    enableDebuggingHandlers: true,
    healthzPort: 0,
    clusterDomain,
    clusterDNS: [dnsAddress],
    nodeLeaseDurationSeconds: 40,
    cgroupsPerQOS: true,
    cgroupDriver: "cgroupfs",
    cpuManagerPolicy: "none",
    memoryManagerPolicy: "None",
    topologyManagerPolicy: "none",
    topologyManagerScope: "container",
    hairpinMode: "hairpin-veth",
    maxPods: 110,
    podCIDR,
    podPidsLimit: -1,
    resolvConf: "/etc/resolv.conf",
    cpuCFSQuota: true,
    cpuCFSQuotaPeriod: "100ms",
    nodeStatusMaxImages: 50,
    nodeStatusReportFrequency: "1m0s",
    configMapAndSecretChangeDetectionStrategy: "Watch",
    failSwapOn: false,
    failCgroupV1: cgroupVersion === 2,
    enableSystemLogHandler: true,
    enableSystemLogQuery: false,
    enableProfilingHandler: false,
    enableDebugFlagsHandler: false,
    seccompDefault: false,
    registerNode: true,
    localStorageCapacityIsolation: true,
    enforceNodeAllocatable: ["pods"],
    evictionHard: EVICTION_HARD,
    evictionPressureTransitionPeriod: "5m0s",
    imageMinimumGCAge: "2m0s",
    imageMaximumGCAge: "0s",
    imageGCHighThresholdPercent: 85,
    imageGCLowThresholdPercent: 80,
    containerRuntimeEndpoint: runtimeEndpoint,
    ...shown,
  };
}
