import type { CoreV1PersistentVolumeClaim, CoreV1Pod } from "../generated/types.ts";

/** `volume` is the name of the pod's volume; an ephemeral one has a claim that was made for the pod alone. */
export type PodClaim = { volume: string; claim: string; readOnly: boolean; isEphemeral: boolean };

/** Any object that may be a Pod. */
type PodLike = { metadata?: { name?: string }; spec?: Partial<CoreV1Pod["spec"]> };

/** The claims in its own namespace that a pod's volumes use. */
export const podClaims = ({ metadata, spec }: Readonly<PodLike>): PodClaim[] =>
  (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): PodClaim[] => {
    if (persistentVolumeClaim) {
      const { claimName, readOnly = false } = persistentVolumeClaim;
      return [{ volume: name, claim: claimName, readOnly, isEphemeral: false }];
    }
    const claim = `${metadata?.name}-${name}`;
    return ephemeral ? [{ volume: name, claim, readOnly: false, isEphemeral: true }] : [];
  });

/** Whether a claim of the name that an ephemeral volume's has was made for this pod. */
export const isOwnedBy = (claim: Readonly<CoreV1PersistentVolumeClaim>, pod: Readonly<CoreV1Pod>): boolean =>
  claim.metadata?.ownerReferences?.some(({ controller, uid }) => controller && uid === pod.metadata.uid) ?? false;
