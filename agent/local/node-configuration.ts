import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type KubeletConfiguration, settingsOf } from "../node/settings.ts";
import type { NodeOptions } from "./node-options.ts";

/** Throws for what makes no sense. */
export function nodeConfiguration(options: NodeOptions): KubeletConfiguration {
  const file =
    options.config === undefined ? {} : (parse(readFileSync(options.config, "utf8")) as KubeletConfiguration);
  const flags: KubeletConfiguration = {
    maxPods: options.maxPods,
    podPidsLimit: options.podMaxPids,
    kubeReserved: options.kubeReserved,
    systemReserved: options.systemReserved,
    enforceNodeAllocatable: options.enforceNodeAllocatable,
    evictionHard: options.evictionHard,
    evictionSoft: options.evictionSoft,
    evictionSoftGracePeriod: options.evictionSoftGracePeriod,
    evictionMinimumReclaim: options.evictionMinimumReclaim,
    evictionPressureTransitionPeriod: options.evictionPressureTransitionPeriod,
    evictionMaxPodGracePeriod: options.evictionMaxPodGracePeriod,
    imageGCHighThresholdPercent: options.imageGcHighThreshold,
    imageGCLowThresholdPercent: options.imageGcLowThreshold,
    nodeLabels: options.nodeLabels,
    registerWithTaints: options.registerWithTaints,
    seccompDefault: options.seccompDefault,
    allowedUnsafeSysctls: options.allowedUnsafeSysctls,
    runtimeHandlers: options.runtimeHandlers,
  };
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const configuration: KubeletConfiguration = { ...file, ...Object.fromEntries(given) };
  settingsOf(configuration);
  return configuration;
}
