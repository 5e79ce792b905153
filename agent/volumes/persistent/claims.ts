/** What a volume's claim leads to, where the pod may have it. Messages are the kubelet's. */
import { isOwnedBy, podClaims } from "../../../worker/kinds/core/pod-claims.ts";
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
  CoreV1Volume,
} from "../../../worker/kinds/generated/types.ts";
import { type VolumeContext, VolumeError } from "../volume.ts";

export type BoundVolume = { volume: CoreV1PersistentVolume; readOnly: boolean };

/** The volume of a pod cannot be told yet. */
export class ClaimError extends VolumeError {}

const PROTECTION = "kubernetes.io/pvc-protection";

/** Throws `ClaimError` while the claim is not bound, or not for this pod. */
export function boundVolume(volume: CoreV1Volume, context: Pick<VolumeContext, "pod" | "desired">): BoundVolume {
  const { pod } = context;
  const used = podClaims(pod).find((claim) => claim.volume === volume.name);
  if (!used) throw new ClaimError(`volume ${volume.name} has no claim`);
  const { namespace = "" } = pod.metadata;
  const refuse = (why: string) => new ClaimError(`error processing PVC ${namespace}/${used.claim}: ${why}`);
  const claim = context.desired.claims?.get(`${namespace}/${used.claim}`);
  const found = bindingOf(claim, used.claim, context);
  if (typeof found === "string") throw refuse(found);
  if (used.isEphemeral && claim && !isOwnedBy(claim, pod))
    throw new ClaimError(
      `PVC ${namespace}/${used.claim} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
    );
  checkMode(volume.name, found, pod);
  return { volume: found, readOnly: used.readOnly };
}

/** The claim's volume, or why it has none. */
function bindingOf(
  claim: CoreV1PersistentVolumeClaim | undefined,
  claimName: string,
  { desired }: Pick<VolumeContext, "desired">,
): CoreV1PersistentVolume | string {
  if (!claim) return `failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`;
  const { metadata, spec, status } = claim;
  if (metadata?.deletionTimestamp && !metadata.finalizers?.includes(PROTECTION)) return "PVC is being deleted";
  if (status?.phase !== "Bound") return "PVC is not bound";
  const name = spec?.volumeName;
  if (!name) return "PVC has empty pvc.Spec.VolumeName";
  const volume = desired.persistentVolumes?.get(`/${name}`);
  if (!volume) return `failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`;
  const reference = volume.spec?.claimRef;
  if (!reference)
    return `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`;
  if (reference.uid === metadata?.uid) return volume;
  const uids = `pv.Spec.ClaimRef.UID ${reference.uid ?? ""} does not point to claim.UID ${metadata?.uid ?? ""}`;
  return `found PV object ${name} but its ${uids}`;
}

function checkMode(name: string, { spec }: CoreV1PersistentVolume, pod: CoreV1Pod): void {
  const mode = spec?.volumeMode ?? "Filesystem";
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const isIn = (uses: readonly { name: string }[] | undefined) => uses?.some((use) => use.name === name) ?? false;
  const refuse = (where: string) =>
    new ClaimError(`volume ${name} has volumeMode ${mode}, but is specified in ${where}`);
  if (mode !== "Filesystem" && containers.some(({ volumeMounts }) => isIn(volumeMounts))) throw refuse("volumeMounts");
  if (mode !== "Block" && containers.some(({ volumeDevices }) => isIn(volumeDevices))) throw refuse("volumeDevices");
}
