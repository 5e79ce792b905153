import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { parseServer } from "../network/mesh/stun.ts";
import { type KubeletConfiguration, settingsOf } from "../node/settings.ts";
import type { NodeOptions } from "./node-options.ts";

/** Throws for what makes no sense. */
export function nodeConfiguration(options: NodeOptions): KubeletConfiguration {
  const file =
    options.config === undefined ? {} : (parse(readFileSync(options.config, "utf8")) as KubeletConfiguration);
  const flags: KubeletConfiguration = {
    maxPods: options.maxPods,
    staticPodPath: options.podManifestPath && resolve(options.podManifestPath),
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
    containerLogMaxSize: options.containerLogMaxSize,
    containerLogMaxFiles: options.containerLogMaxFiles,
    nodeLabels: options.nodeLabels,
    registerWithTaints: options.registerWithTaints,
    seccompDefault: options.seccompDefault,
    allowedUnsafeSysctls: options.allowedUnsafeSysctls,
    runtimeHandlers: options.runtimeHandlers,
    serializeImagePulls: options.serializeImagePulls,
    maxParallelImagePulls: options.maxParallelImagePulls,
    imagePullProgressDeadline: options.imagePullProgressDeadline,
    credentialProviders: readProviders(options),
    ingressHttpPort: options.ingressHttpPort,
    ingressHttpsPort: options.ingressHttpsPort,
    stunServers: options.stun,
    imagePolicies: options.imagePolicy === undefined ? undefined : readPolicies(options.imagePolicy),
  };
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const configuration: KubeletConfiguration = { ...file, ...Object.fromEntries(given) };
  settingsOf(configuration);
  for (const server of configuration.stunServers ?? [])
    if (!parseServer(server))
      throw new Error(`invalid STUN server ${server}: host:port is needed, with a port from 1 to 65535`);
  return configuration;
}

function readPolicies(path: string): unknown[] {
  const documents = parseAllDocuments(readFileSync(path, "utf8"));
  for (const { errors } of documents) if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const values = documents.map((document) => document.toJS() as unknown).filter((value) => value !== null);
  if (!values.length) throw new Error(`${path} holds no ClusterImagePolicy`);
  return values;
}

function readProviders(options: NodeOptions): KubeletConfiguration["credentialProviders"] {
  const { imageCredentialProviderConfig: path, imageCredentialProviderBinDir: binDir } = options;
  if ((path === undefined) !== (binDir === undefined))
    throw new Error("--image-credential-provider-config and --image-credential-provider-bin-dir go together");
  if (path === undefined || binDir === undefined) return undefined;
  return { binDir: resolve(binDir), config: parse(readFileSync(path, "utf8")) as unknown };
}
