/**
 * Volumes that nodes make on their own disks: what the provisioner and the agents say to each other, in objects that any
 * client can read. A Node tells where its volumes lie; a PersistentVolume of the provisioner lies in a folder there, which
 * the node makes when a pod first mounts it. When its claim is gone and its data is not to be kept, the node removes the
 * folder and tells so; only then is the PersistentVolume deleted.
 *
 * A volume moves to another node when somebody says so in `MOVE_TO`. Once no pod elsewhere has it, `MOVING_TO` names the
 * folder that the new node is to fill; when that has all data, it tells so, and in one transaction the PersistentVolume is
 * made anew, by its old name and for its old claim, on the new node. What lies on a node after that, or after a move that
 * came to nothing, is named by `LEFT_ON` until that node has removed it. At every moment one place has all data.
 *
 * The data goes straight from one node to the other, or, where `MOVE_THROUGH` says so, through the deployment's bucket, so
 * that the two need not be up at once. `TRANSFER` then names the copy there. The node that the volume leaves sends it and
 * tells so, as if it were the one to fill the folder; `TRANSFERRED` then bids the other to read it. From then on nothing but
 * the copy is relied on, as that node may be lost: it stays until the node that the volume is to go to by then, or to come
 * back to, says that it has all. Whom `LEFT_ON` names after that, or after a move that came to nothing, removes the copy, too.
 */

/** The provisioner that StorageClasses name. */
export const PROVISIONER = "skerry.dev/local";

/** On a PersistentVolume, by whom it was made. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** On a PersistentVolume: the node whose disk it lies on. */
export const VOLUME_NODE = "skerry.dev/node";
/** On a Node: the folder that its volumes lie in. */
export const VOLUMES_PATH = "skerry.dev/volumes-path";
/** On a Node: the way that its volumes can go beside the straight one, `bucket`. Agents of older releases know of none. */
export const VOLUMES_THROUGH = "skerry.dev/volumes-through";
/** On a Node: why its volumes may grow beyond their sizes, or that they may not. */
export const VOLUME_SIZES = "skerry.dev/volume-sizes";
export const SIZES_ENFORCED = "Enforced";
/** On a Node: names, divided by commas, of the released PersistentVolumes, and of folders left there, that it has removed. */
export const VOLUMES_REMOVED = "skerry.dev/volumes-removed";
/** On a PersistentVolume: the node that it is to lie on. Whoever may write PersistentVolumes may say so. */
export const MOVE_TO = "skerry.dev/move-to";
/** On a PersistentVolume, beside `MOVE_TO`: `bucket` where its data is to go through the deployment's bucket. */
export const MOVE_THROUGH = "skerry.dev/move-through";
export const BUCKET = "bucket";
/** On a PersistentVolume that moves through the bucket: the name of its copy there, until that is removed. */
export const TRANSFER = "skerry.dev/transfer";
/** On a PersistentVolume, beside `TRANSFER`, "true": that copy is whole, and the node that the volume leaves not needed. */
export const TRANSFERRED = "skerry.dev/transferred";
/** Instead: the volume is back at that node while another still removes what it was to fill. The copy goes after that. */
export const BACK = "back";
/** On a PersistentVolume, `NODE/FOLDER`: where a copy of it is being made; no pod may have it meanwhile. */
export const MOVING_TO = "skerry.dev/moving-to";
/** On a PersistentVolume, `NODE/FOLDER`: what a node still has to remove. */
export const LEFT_ON = "skerry.dev/left-on";
/**
 * On a Node: folders, divided by commas, that have all data of the PersistentVolumes that are moving there; and those, on
 * whichever node, whose data this one has sent into the bucket.
 */
export const VOLUMES_RECEIVED = "skerry.dev/volumes-received";

/** What is asked here of a PersistentVolume. */
type Annotations = Readonly<Record<string, string>> | undefined;
type Volume = {
  metadata?: { name?: string; annotations?: Annotations; deletionTimestamp?: string };
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

/** A folder among those of a node's volumes. */
export type Place = { node: string; folder: string };

export function placeIn(annotations: Annotations, name: typeof MOVING_TO | typeof LEFT_ON): Place | undefined {
  const [node, folder, ...rest] = annotations?.[name]?.split("/") ?? [];
  return node && folder && rest.length === 0 ? { node, folder } : undefined;
}

/** Whether the bucket's copy is the volume: all of it is there, and no node is known to have it. */
export const isInBucket = (annotations: Annotations): boolean =>
  Boolean(annotations?.[TRANSFER] && annotations[TRANSFERRED] && placeIn(annotations, MOVING_TO));

/** The node that has to send the volume's data into the bucket. */
export function senderOf({ metadata }: Readonly<Volume>): string | undefined {
  const { annotations } = metadata ?? {};
  const isDue = annotations?.[TRANSFER] && !annotations[TRANSFERRED] && placeIn(annotations, MOVING_TO);
  return isDue ? annotations[VOLUME_NODE] : undefined;
}

/** The folder that a node has to fill with the volume's data, as soon as that is to be had. */
export function receiverOf({ metadata }: Readonly<Volume>): Place | undefined {
  const { annotations } = metadata ?? {};
  return annotations?.[TRANSFER] && !annotations[TRANSFERRED] ? undefined : placeIn(annotations, MOVING_TO);
}

/** The nodes that have to do something about the volume, whether or not their pods use it. */
export function nodesWithWork(volume: Readonly<Volume>): string[] {
  if (!isProvisioned(volume)) return [];
  const { annotations } = volume.metadata ?? {};
  const nodes = [
    removerOf(volume),
    senderOf(volume),
    placeIn(annotations, MOVING_TO)?.node,
    placeIn(annotations, LEFT_ON)?.node,
  ];
  return nodes.filter((node) => node !== undefined);
}

const listed = (text: string | undefined): string[] => (text ?? "").split(",").filter(Boolean);

export const removedBy = (annotations: Annotations): string[] => listed(annotations?.[VOLUMES_REMOVED]);
export const receivedBy = (annotations: Annotations): string[] => listed(annotations?.[VOLUMES_RECEIVED]);
