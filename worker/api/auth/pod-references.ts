/** What a pod needs from its namespace to run: the objects that its node may therefore read. */
type Named = { name?: string; secretName?: string; claimName?: string };
type Env = {
  env?: { valueFrom?: { secretKeyRef?: Named; configMapKeyRef?: Named } }[];
  envFrom?: { secretRef?: Named; configMapRef?: Named }[];
};
type Volume = {
  secret?: Named;
  configMap?: Named;
  persistentVolumeClaim?: Named;
  projected?: { sources?: { secret?: Named; configMap?: Named }[] };
};
export type PodLike = {
  spec?: {
    serviceAccountName?: string;
    containers?: Env[];
    initContainers?: Env[];
    ephemeralContainers?: Env[];
    imagePullSecrets?: Named[];
    volumes?: Volume[];
  };
};

export type Reference = {
  resource: "secrets" | "configmaps" | "persistentvolumeclaims" | "serviceaccounts";
  name: string;
};

export function references({ spec = {} }: PodLike): Reference[] {
  const secrets: (string | undefined)[] = (spec.imagePullSecrets ?? []).map((secret) => secret.name);
  const configMaps: (string | undefined)[] = [];
  const claims: (string | undefined)[] = [];
  for (const container of [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]) {
    for (const { valueFrom } of container.env ?? []) {
      secrets.push(valueFrom?.secretKeyRef?.name);
      configMaps.push(valueFrom?.configMapKeyRef?.name);
    }
    for (const { secretRef, configMapRef } of container.envFrom ?? []) {
      secrets.push(secretRef?.name);
      configMaps.push(configMapRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) {
    secrets.push(volume.secret?.secretName);
    configMaps.push(volume.configMap?.name);
    claims.push(volume.persistentVolumeClaim?.claimName);
    for (const { secret, configMap } of volume.projected?.sources ?? []) {
      secrets.push(secret?.name);
      configMaps.push(configMap?.name);
    }
  }
  const as = (resource: Reference["resource"], names: readonly (string | undefined)[]) =>
    names.filter((name) => name !== undefined).map((name) => ({ resource, name }));
  return [
    ...as("secrets", secrets),
    ...as("configmaps", configMaps),
    ...as("persistentvolumeclaims", claims),
    ...as("serviceaccounts", [spec.serviceAccountName]),
  ];
}
