/**
 * What an administrator may say of a node, by the names of KubeletConfiguration and of the kubelet's flags.
 * https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
import type { CoreV1Taint } from "../../worker/kinds/generated/types.ts";
import { addResources, parseQuantity, parseResources, type Resources, wholeValue } from "../../worker/lib/quantity.ts";
import { milliseconds } from "../durations.ts";
import { type PullConfiguration, type PullSettings, pullSettings } from "../images/pull-settings.ts";
import type { Ports } from "../ingress/config.ts";
import { type SecuritySettings, securitySettings } from "./security-settings.ts";
import { parseThresholds, type Threshold } from "./thresholds.ts";

/** It answers on Cloudflare's network, where the control plane is. */
const DEFAULT_STUN = ["stun.cloudflare.com:3478"];

/** As it is written: in a file, or by flags. */
export type KubeletConfiguration = PullConfiguration & {
  maxPods?: number;
  staticPodPath?: string;
  crashLoopBackOff?: { maxContainerRestartPeriod?: string };
  podPidsLimit?: number;
  kubeReserved?: Record<string, string>;
  systemReserved?: Record<string, string>;
  enforceNodeAllocatable?: string[];
  evictionHard?: Record<string, string>;
  evictionSoft?: Record<string, string>;
  evictionSoftGracePeriod?: Record<string, string>;
  evictionMinimumReclaim?: Record<string, string>;
  evictionPressureTransitionPeriod?: string;
  evictionMaxPodGracePeriod?: number;
  mergeDefaultEvictionSettings?: boolean;
  imageGCHighThresholdPercent?: number;
  imageGCLowThresholdPercent?: number;
  imageMinimumGCAge?: string;
  imageMaximumGCAge?: string;
  containerLogMaxSize?: string;
  containerLogMaxFiles?: number;
  registerWithTaints?: CoreV1Taint[];
  seccompDefault?: boolean;
  allowedUnsafeSysctls?: string[];
  /** Only a flag with kubelets. */
  nodeLabels?: Record<string, string>;
  /** With kubelets a matter of the container runtime's settings: see `RuntimeHandlers`. */
  runtimeHandlers?: Record<string, string>;
  /** No kubelet's: where Ingresses are served; 0 for nowhere. */
  ingressHttpPort?: number;
  ingressHttpsPort?: number;
  /** No kubelet's: `host:port` of who tells this node what others see it as. */
  stunServers?: string[];
};

export type NodeSettings = {
  maxPods: number;
  /** A folder, a file a pod. */
  staticPodPath: string | undefined;
  /** The longest wait of a container that fails again and again; undefined for the usual one. */
  mostBackoffMs: number | undefined;
  /** Undefined for no limit of its own. */
  podPids: number | undefined;
  /** Kept from pods: the sum of what the system and the agent may need, by resource. */
  reserved: Resources;
  /** Pods together may have no more than what is left. */
  enforcesAllocatable: boolean;
  thresholds: readonly Threshold[];
  /** A condition of the node outlives its cause by so much. */
  pressureTransitionMs: number;
  /** A pod that a soft threshold evicts gets no more than this, in seconds. */
  maxPodGraceSeconds: number;
  images: ImagePolicy;
  /** Of each container. */
  logs: { maxBytes: number; maxFiles: number };
  labels: Record<string, string>;
  taints: readonly CoreV1Taint[];
  security: SecuritySettings;
  pulls: PullSettings;
  ingressPorts: Ports;
  stunServers: readonly string[];
};

/** Of the disk's use in percent. https://kubernetes.io/docs/concepts/architecture/garbage-collection/#container-image-lifecycle */
export type ImagePolicy = {
  highPercent: number;
  lowPercent: number;
  minAgeMs: number;
  /** 0 for no limit. */
  maxAgeMs: number;
};

/** The kubelet's, but for those of a disk for images alone: here one disk has all, and the higher one would hold for it. */
export const EVICTION_HARD: Record<string, string> = {
  "memory.available": "100Mi",
  "nodefs.available": "10%",
  "nodefs.inodesFree": "5%",
};

/** With the kubelet's defaults for what is not said. Throws for what makes no sense, in the kubelet's words. */
export function settingsOf(given: KubeletConfiguration = {}): NodeSettings {
  const { maxPods = 110, podPidsLimit = -1, enforceNodeAllocatable = ["pods"] } = given;
  const defaults = given.mergeDefaultEvictionSettings ? EVICTION_HARD : {};
  const hard = given.evictionHard ? { ...defaults, ...given.evictionHard } : EVICTION_HARD;
  const high = percent("imageGCHighThresholdPercent", given.imageGCHighThresholdPercent ?? 85);
  const low = percent("imageGCLowThresholdPercent", given.imageGCLowThresholdPercent ?? 80);
  if (low > high) throw new Error(`LowThresholdPercent ${low} can not be higher than HighThresholdPercent ${high}`);
  return {
    maxPods,
    staticPodPath: given.staticPodPath || undefined,
    mostBackoffMs: restartPeriod(given.crashLoopBackOff?.maxContainerRestartPeriod),
    podPids: podPidsLimit > 0 ? podPidsLimit : undefined,
    reserved: addResources(reservation(given.kubeReserved ?? {}), reservation(given.systemReserved ?? {})),
    enforcesAllocatable: enforceNodeAllocatable.includes("pods"),
    thresholds: parseThresholds({
      hard,
      soft: given.evictionSoft ?? {},
      gracePeriods: given.evictionSoftGracePeriod ?? {},
      minimumReclaim: given.evictionMinimumReclaim ?? {},
      enforcesAllocatable: enforceNodeAllocatable.includes("pods"),
    }),
    pressureTransitionMs: milliseconds(given.evictionPressureTransitionPeriod ?? "5m"),
    maxPodGraceSeconds: given.evictionMaxPodGracePeriod ?? 0,
    images: {
      highPercent: high,
      lowPercent: low,
      minAgeMs: milliseconds(given.imageMinimumGCAge ?? "2m"),
      maxAgeMs: milliseconds(given.imageMaximumGCAge ?? "0s"),
    },
    logs: logLimits(given),
    labels: given.nodeLabels ?? {},
    taints: given.registerWithTaints ?? [],
    security: securitySettings(given),
    pulls: pullSettings(given),
    ingressPorts: { http: given.ingressHttpPort, https: given.ingressHttpsPort },
    stunServers: given.stunServers ?? DEFAULT_STUN,
  };
}

function restartPeriod(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const period = milliseconds(text);
  if (period >= 1_000 && period <= 300_000) return period;
  throw new Error(
    `invalid configuration: CrashLoopBackOff.maxContainerRestartPeriod (got: ${period / 1000} seconds) must be set between 1s and 300s`,
  );
}

function logLimits({ containerLogMaxSize = "10Mi", containerLogMaxFiles = 5 }: KubeletConfiguration) {
  const maxBytes = wholeValue(parseQuantity(containerLogMaxSize));
  if (!(maxBytes > 0)) throw new Error(`invalid max log size ${containerLogMaxSize}`);
  if (containerLogMaxFiles <= 1) throw new Error(`invalid MaxFiles ${containerLogMaxFiles}, must be > 1`);
  return { maxBytes, maxFiles: containerLogMaxFiles };
}

function percent(name: string, value: number): number {
  if (value >= 0 && value <= 100) return value;
  throw new Error(`invalid ${name} ${value}, must be in range [0-100]`);
}

const RESERVABLE = ["cpu", "memory", "ephemeral-storage", "pid"];

function reservation(list: Record<string, string>): Resources {
  const parsed = parseResources(list);
  for (const [name, amount] of Object.entries(parsed)) {
    if (!RESERVABLE.includes(name) && !name.startsWith("hugepages-"))
      throw new Error(`cannot reserve "${name}" resource`);
    if (amount.nano < 0n) throw new Error(`resource quantity for "${name}" cannot be negative: ${list[name]}`);
  }
  return parsed;
}
