/** The ConfigMaps and Secrets that a pod's node must have to run it. */
export type References = { configmaps: Set<string>; secrets: Set<string> };

type Named = { name?: string } | undefined;
type EnvSource = { configMapKeyRef?: Named; secretKeyRef?: Named };
type Container = {
  env?: readonly { valueFrom?: EnvSource }[];
  envFrom?: readonly { configMapRef?: Named; secretRef?: Named }[];
};
type Source = { configMap?: Named; secret?: { secretName?: string; name?: string } };
/** The parts of a Pod that mention others; any Pod fits it. */
export type Referring = {
  spec?: {
    containers?: readonly Container[];
    initContainers?: readonly Container[];
    ephemeralContainers?: readonly Container[];
    imagePullSecrets?: readonly Named[];
    volumes?: readonly (Source & { projected?: { sources?: readonly Source[] } })[];
  };
};

/** Names only: everything that a pod mentions is in its own namespace. */
export function referencesOf(pod: Referring): References {
  const found: References = { configmaps: new Set(), secrets: new Set() };
  const configMap = (ref: Named) => ref?.name && found.configmaps.add(ref.name);
  const secret = (ref: Named) => ref?.name && found.secrets.add(ref.name);
  const spec = pod.spec ?? {};
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
  for (const container of containers) {
    for (const { valueFrom } of container.env ?? []) {
      configMap(valueFrom?.configMapKeyRef);
      secret(valueFrom?.secretKeyRef);
    }
    for (const source of container.envFrom ?? []) {
      configMap(source.configMapRef);
      secret(source.secretRef);
    }
  }
  for (const ref of spec.imagePullSecrets ?? []) secret(ref);
  for (const volume of spec.volumes ?? []) {
    for (const source of [volume, ...(volume.projected?.sources ?? [])]) {
      configMap(source.configMap);
      secret({ name: source.secret?.secretName ?? source.secret?.name });
    }
  }
  return found;
}
