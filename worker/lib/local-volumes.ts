/**
 * Volumes that nodes make on their own disks: what the provisioner and the agents say to each other, in objects that any
 * client can read. A Node tells where its volumes lie; a PersistentVolume of the provisioner lies in a folder there, which
 * the node makes when a pod first mounts it. When its claim is gone and its data is not to be kept, the node removes the
 * folder and tells so; only then is the PersistentVolume deleted.
 */

/** The provisioner that StorageClasses name. */
export const PROVISIONER = "skerry.dev/local";

/** On a PersistentVolume, by whom it was made. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** On a PersistentVolume: the node whose disk it lies on. */
export const VOLUME_NODE = "skerry.dev/node";
/** On a Node: the folder that its volumes lie in. */
export const VOLUMES_PATH = "skerry.dev/volumes-path";
/** On a Node: names, divided by commas, of the released PersistentVolumes whose folders it has removed. */
export const VOLUMES_REMOVED = "skerry.dev/volumes-removed";

/** What is asked here of a PersistentVolume. */
type Volume = {
  metadata?: { name?: string; annotations?: Readonly<Record<string, string>>; deletionTimestamp?: string };
  spec?: { persistentVolumeReclaimPolicy?: string };
  status?: { phase?: string };
};

export const isProvisioned = ({ metadata }: Readonly<Volume>): boolean =>
  metadata?.annotations?.[PROVISIONED_BY] === PROVISIONER;

/** Nobody has the volume any more; nor may anybody have one of the second kind, once it is being deleted. */
const LET_GO = "Released";
const UNUSED = ["Available", "Failed"];

/** The node that is to remove the volume's data, when that is due. */
export function removerOf(volume: Readonly<Volume>): string | undefined {
  const { metadata, spec, status: { phase = "" } = {} } = volume;
  if (!isProvisioned(volume) || spec?.persistentVolumeReclaimPolicy !== "Delete") return undefined;
  const isDue = phase === LET_GO || (UNUSED.includes(phase) && metadata?.deletionTimestamp !== undefined);
  return isDue ? metadata?.annotations?.[VOLUME_NODE] : undefined;
}

export const removedBy = (annotations: Readonly<Record<string, string>> | undefined): string[] =>
  (annotations?.[VOLUMES_REMOVED] ?? "").split(",").filter(Boolean);
