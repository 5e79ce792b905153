import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Desired } from "../desired.ts";

/** Names of the ConfigMaps and Secrets that a pod mentions. */
export function references(pod: CoreV1Pod): { configMaps: Set<string>; secrets: Set<string> } {
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>(pod.spec.imagePullSecrets?.map((s) => s.name));
  const containers: CoreV1Container[] = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...(pod.spec.ephemeralContainers ?? []),
  ];
  for (const { env, envFrom } of containers) {
    for (const { configMapRef, secretRef } of envFrom ?? []) {
      configMaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
    for (const { valueFrom } of env ?? []) {
      configMaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { configMap, secret, projected } of pod.spec.volumes ?? []) {
    configMaps.add(configMap?.name);
    secrets.add(secret?.secretName);
    for (const source of projected?.sources ?? []) {
      configMaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
    }
  }
  const named = (set: Set<string | undefined>) => new Set([...set].filter((name) => name !== undefined));
  return { configMaps: named(configMaps), secrets: named(secrets) };
}

/** Changes when anything changes that the pod's volumes or environment are made from. */
export function referencesKey(pod: CoreV1Pod, desired: Desired): string {
  const { configMaps, secrets } = references(pod);
  const versionOf = (name: string, found: { metadata: { uid?: string; resourceVersion?: string } } | undefined) =>
    `${name}@${found?.metadata.uid ?? ""}/${found?.metadata.resourceVersion ?? ""}`;
  const { namespace, labels, annotations } = pod.metadata;
  return JSON.stringify([
    [...configMaps].map((name) => versionOf(name, desired.configMaps.get(`${namespace}/${name}`))),
    [...secrets].map((name) => versionOf(name, desired.secrets.get(`${namespace}/${name}`))),
    labels,
    annotations,
  ]);
}
