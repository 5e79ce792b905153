import type { CoreV1Container, CoreV1Pod } from "../generated/types.ts";

/** What a pod mentions in its own namespace and needs there to run, by name. */
export type PodReferences = {
  configmaps: ReadonlySet<string>;
  secrets: ReadonlySet<string>;
  persistentvolumeclaims: ReadonlySet<string>;
  serviceaccounts: ReadonlySet<string>;
};

/** Any object that may be a Pod. */
type PodLike = { spec?: Partial<CoreV1Pod["spec"]> };

/** The images that a pod names, those of its volumes, too. */
export const podImages = ({ spec = {} }: PodLike): string[] =>
  [
    ...containersOf(spec).map(({ image }) => image),
    ...(spec.volumes ?? []).map(({ image }) => image?.reference),
  ].filter((image) => image !== undefined);

const containersOf = (spec: Partial<CoreV1Pod["spec"]>): CoreV1Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** Collects names and leaves out what is not there. */
class Names extends Set<string> {
  mention(name: string | undefined): void {
    if (name) this.add(name);
  }
}

export function podReferences({ spec = {} }: PodLike): PodReferences {
  const configmaps = new Names();
  const secrets = new Names();
  const persistentvolumeclaims = new Names();
  const serviceaccounts = new Names();
  serviceaccounts.mention(spec.serviceAccountName);
  for (const { name } of spec.imagePullSecrets ?? []) secrets.mention(name);
  for (const { env, envFrom } of containersOf(spec)) {
    for (const { valueFrom } of env ?? []) {
      configmaps.mention(valueFrom?.configMapKeyRef?.name);
      secrets.mention(valueFrom?.secretKeyRef?.name);
    }
    for (const { configMapRef, secretRef } of envFrom ?? []) {
      configmaps.mention(configMapRef?.name);
      secrets.mention(secretRef?.name);
    }
  }
  for (const { configMap, secret, persistentVolumeClaim, projected } of spec.volumes ?? []) {
    configmaps.mention(configMap?.name);
    secrets.mention(secret?.secretName);
    persistentvolumeclaims.mention(persistentVolumeClaim?.claimName);
    for (const source of projected?.sources ?? []) {
      configmaps.mention(source.configMap?.name);
      secrets.mention(source.secret?.name);
    }
  }
  return { configmaps, secrets, persistentvolumeclaims, serviceaccounts };
}
