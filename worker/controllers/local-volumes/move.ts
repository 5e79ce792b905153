import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import {
  BACK,
  BUCKET,
  isInBucket,
  LEFT_ON,
  MOVE_THROUGH,
  MOVE_TO,
  MOVING_TO,
  type Place,
  placeIn,
  receivedBy,
  removedBy,
  removerOf,
  TRANSFER,
  TRANSFERRED,
  VOLUME_NODE,
  VOLUMES_PATH,
  VOLUMES_THROUGH,
} from "../../lib/local-volumes.ts";
import type { KubeObject } from "../../lib/object.ts";
import { conditionOf } from "../conditions.ts";
import type { Context, Intent, View } from "../controller.ts";
import type { Volume } from "../volumes/matching.ts";
import { affinityTo } from "./provision.ts";

type Annotations = Record<string, string | undefined>;

/** Tells the folder of one move from those of others: in digits of base 36. */
const MARK_DIGITS = 6;

const NO_WISH = { [MOVE_TO]: undefined, [MOVE_THROUGH]: undefined };
const NOTHING_LEFT = { [LEFT_ON]: undefined, [TRANSFER]: undefined, [TRANSFERRED]: undefined };

/**
 * What is next of a volume's way to another node, one step at a time; undefined where nothing is to be done about it.
 * `lib/local-volumes.ts` tells of the whole way.
 */
export function move(view: View, volume: Volume, context: Pick<Context, "random">): Intent[] | undefined {
  const { annotations = {} } = volume.metadata ?? {};
  const left = placeIn(annotations, LEFT_ON);
  const moving = placeIn(annotations, MOVING_TO);
  if (moving && isBack(view, volume, moving)) return [atHome(volume)];
  if (left && !isRemoved(view, left)) return waitFor(view, volume, left);
  const heir = left && !moving ? heirOf(view, annotations, left) : undefined;
  if (heir) return [handedOver(volume, heir, context)];
  if (left) return [annotated(volume, moving ? { [LEFT_ON]: undefined } : NOTHING_LEFT)];
  const wish = annotations[MOVE_TO];
  const claim = claimOf(view, volume);
  // Its data is to go, wherever it is.
  if (moving && removerOf(volume)) return [cancelled(volume, moving)];
  if (moving && isInBucket(annotations)) return bring(view, volume, moving, context);
  const isOtherWay = (annotations[MOVE_THROUGH] === BUCKET) !== (annotations[TRANSFER] !== undefined);
  if (moving && (wish !== moving.node || !claim || isOtherWay)) return callOff(view, volume, moving);
  if (!wish || !claim) return undefined;
  if (wish === annotations[VOLUME_NODE]) return [annotated(volume, NO_WISH)];
  if (!moving) return begin(view, volume, claim, wish, context);
  const why = refusal(view, wish, annotations[TRANSFER] && BUCKET);
  if (why) return [...callOff(view, volume, moving), said(claim, "VolumeMoveFailed", why, "Warning")];
  return annotations[TRANSFER] ? send(view, volume, moving) : arrive(view, volume, moving);
}

/** The claim that is bound to the volume: no other volumes move. */
function claimOf(view: View, { metadata, spec, status }: Volume): Readonly<PersistentVolumeClaim> | undefined {
  const { namespace = "", name = "", uid } = spec?.claimRef ?? {};
  const claim = name ? view.get(PersistentVolumeClaim, namespace, name) : undefined;
  const isBound = status?.phase === "Bound" && claim?.metadata?.uid === uid && !metadata?.deletionTimestamp;
  return isBound ? claim : undefined;
}

function isRemoved(view: View, { node, folder }: Place): boolean {
  const found = view.get(Node, "", node);
  return !found || removedBy(found.metadata.annotations).includes(folder);
}

export const isReady = (node: Readonly<Node> | undefined) =>
  conditionOf(node?.status?.conditions, "Ready")?.status === "True";

/** Why a volume cannot go to a node, or from it. */
function refusal(view: View, name: string, through: string | undefined): string | undefined {
  const node = view.get(Node, "", name);
  const who = `node ${JSON.stringify(name)}`;
  if (!node) return `${who} not found`;
  if (!node.metadata.annotations?.[VOLUMES_PATH]) return `${who} makes no volumes`;
  const knows = !through || node.metadata.annotations[VOLUMES_THROUGH] === through;
  return knows ? undefined : `the agent of ${who} knows of no way through the bucket: it is of an older release`;
}

/**
 * Who is still to remove the copy in the bucket: where the node that was to is gone, or may have told of its folder alone.
 * The volume's own, or any that knows of it.
 */
function heirOf(view: View, annotations: Annotations, { node }: Place): string | undefined {
  const isDone = annotations[TRANSFERRED] !== BACK && view.get(Node, "", node);
  if (!annotations[TRANSFER] || isDone) return undefined;
  const home = view.get(Node, "", annotations[VOLUME_NODE] ?? "");
  const heirs = [...(home ? [home] : []), ...view.list(Node)];
  return heirs.find((other) => other.metadata.annotations?.[VOLUMES_THROUGH] === BUCKET)?.metadata.name;
}

function handedOver(volume: Volume, heir: string, { random }: Pick<Context, "random">): Intent {
  const { [TRANSFERRED]: transferred } = volume.metadata?.annotations ?? {};
  const left = `${heir}/${folderOf(volume, markOf(random))}`;
  return annotated(volume, { [LEFT_ON]: left, [TRANSFERRED]: transferred && "true" });
}

/** What is left there could be taken for the data of a later move, or never be removed. */
function waitFor(view: View, volume: Volume, { node, folder }: Place): Intent[] {
  if (isReady(view.get(Node, "", node))) return [];
  const what = `folder ${folder}, which the volume has left there, is removed when it is back`;
  const why = `node ${JSON.stringify(node)} is not ready: ${what}; until then the volume is neither moved nor deleted`;
  return [said(volume, "VolumeFailedDelete", why, "Warning")];
}

function begin(
  view: View,
  volume: Volume,
  claim: Readonly<PersistentVolumeClaim>,
  to: string,
  { random }: Pick<Context, "random">,
): Intent[] {
  const { [MOVE_THROUGH]: through, [VOLUME_NODE]: from = "" } = volume.metadata?.annotations ?? {};
  const isWay = through === undefined || through === BUCKET;
  const why = isWay
    ? (refusal(view, to, through) ?? (through && refusal(view, from, through)))
    : `${MOVE_THROUGH} is ${JSON.stringify(through)}: it may be ${JSON.stringify(BUCKET)}, or not be there`;
  if (why) return [said(claim, "VolumeMoveFailed", why, "Warning")];
  const users = usersElsewhere(view, claim, to);
  if (users.length > 0) return [said(claim, "WaitForPodsToEnd", `the volume is moved when these end: ${users.join()}`)];
  const mark = markOf(random);
  return [
    annotated(volume, { [MOVING_TO]: `${to}/${folderOf(volume, mark)}`, [TRANSFER]: through && mark }),
    said(claim, "VolumeMoving", `copying the data to node ${to}${through ? ", through the bucket" : ""}`),
  ];
}

const markOf = (random: Context["random"]): string =>
  Math.floor(random() * 36 ** MARK_DIGITS)
    .toString(36)
    .padStart(MARK_DIGITS, "0");

const folderOf = ({ metadata, spec }: Volume, mark: string): string =>
  `${metadata?.name}_${spec?.claimRef?.namespace}_${spec?.claimRef?.name}.${mark}`;

/** Its folder on the node where it lies. */
const ownFolder = ({ spec }: Volume): string => spec?.local?.path?.split("/").at(-1) ?? "";

/** Pods that have the claim, or may get it, on any other node. */
function usersElsewhere(view: View, { metadata }: Readonly<PersistentVolumeClaim>, to: string): string[] {
  const uses = (pod: Readonly<Pod>) => podClaims(pod).some(({ claim }) => claim === metadata?.name);
  return view
    .list(Pod, metadata?.namespace)
    .filter((pod) => pod.spec.nodeName && pod.spec.nodeName !== to && !isPodTerminal(pod) && uses(pod))
    .map((pod) => pod.metadata.name ?? "");
}

function send(view: View, volume: Volume, { folder }: Place): Intent[] {
  const from = view.get(Node, "", volume.metadata?.annotations?.[VOLUME_NODE] ?? "");
  return receivedBy(from?.metadata.annotations).includes(folder) ? [annotated(volume, { [TRANSFERRED]: "true" })] : [];
}

/**
 * The copy in the bucket goes to the node that is wished by now, or back to that which it came from: whether or not there
 * is a claim, and for as long as it takes.
 */
function bring(view: View, volume: Volume, moving: Place, { random }: Pick<Context, "random">): Intent[] | undefined {
  const { annotations = {}, deletionTimestamp } = volume.metadata ?? {};
  if (deletionTimestamp) return undefined; // made anew, it would be back
  const to = annotations[MOVE_TO] ?? annotations[VOLUME_NODE] ?? "";
  const why = refusal(view, to, BUCKET);
  if (why) return [said(volume, "VolumeMoveFailed", `${why}; the copy in the bucket is kept`, "Warning")];
  if (to === moving.node) return arrive(view, volume, moving);
  // Where it lies still, it is there at once; where it is lost, it comes to the same place.
  const folder = to === annotations[VOLUME_NODE] ? ownFolder(volume) : folderOf(volume, markOf(random));
  const left = isHome(volume, moving) ? undefined : `${moving.node}/${moving.folder}`;
  return [annotated(volume, { [MOVING_TO]: `${to}/${folder}`, [LEFT_ON]: left })];
}

const isHome = ({ metadata }: Volume, { node }: Place): boolean => node === metadata?.annotations?.[VOLUME_NODE];

/** Whether the node that it was to leave says that it has all data, or nobody wants that any more. */
function isBack(view: View, volume: Volume, { node, folder }: Place): boolean {
  if (!isHome(volume, { node, folder })) return false;
  const told = receivedBy(view.get(Node, "", node)?.metadata.annotations);
  return told.includes(folder) || removerOf(volume) !== undefined;
}

/** It is as if it had never moved; somebody has to remove the copy in the bucket. */
function atHome(volume: Volume): Intent {
  const { [LEFT_ON]: left, [VOLUME_NODE]: node, [TRANSFER]: mark = "" } = volume.metadata?.annotations ?? {};
  if (left) return annotated(volume, { [MOVING_TO]: undefined, [TRANSFERRED]: BACK });
  return annotated(volume, { [MOVING_TO]: undefined, [LEFT_ON]: `${node}/${folderOf(volume, mark)}` });
}

function arrive(view: View, volume: Volume, to: Place): Intent[] {
  const node = view.get(Node, "", to.node);
  const path = node?.metadata.annotations?.[VOLUMES_PATH];
  if (!node || !path || !receivedBy(node.metadata.annotations).includes(to.folder)) return [];
  return [
    { do: "together", intents: replaced(volume, node, `${path}/${to.folder}`) },
    said(claimOf(view, volume) ?? volume, "VolumeMoved", `the volume is on node ${to.node}`),
  ];
}

/** Where a volume lies cannot be changed, so that it is made anew: it keeps its name, and its claim so its volume. */
function replaced(volume: Volume, node: Readonly<Node>, path: string) {
  const { name = "", uid = "", annotations = {}, labels, finalizers } = volume.metadata ?? {};
  const { [MOVE_TO]: _, [MOVE_THROUGH]: __, [MOVING_TO]: ___, ...kept } = annotations;
  const from = annotations[VOLUME_NODE] ?? "";
  const object = {
    metadata: {
      name,
      labels,
      finalizers,
      annotations: {
        ...kept,
        [VOLUME_NODE]: node.metadata.name ?? "",
        [LEFT_ON]: `${from}/${ownFolder(volume)}`,
      },
    },
    spec: { ...volume.spec, local: { ...volume.spec?.local, path }, nodeAffinity: affinityTo(node) },
  };
  const unguarded = { ...volume, metadata: { ...volume.metadata, finalizers: [] } } as KubeObject;
  return [
    { do: "update", kind: PersistentVolume, object: unguarded },
    { do: "delete", kind: PersistentVolume, namespace: "", name, uid },
    { do: "create", kind: PersistentVolume, object: object as KubeObject },
  ] as const;
}

/** Only once the node that has the data is there: what was copied may be all that is left of it. */
function callOff(view: View, volume: Volume, moving: Place): Intent[] {
  const from = volume.metadata?.annotations?.[VOLUME_NODE] ?? "";
  if (isReady(view.get(Node, "", from))) return [cancelled(volume, moving)];
  const why = `node ${JSON.stringify(from)} is not ready: the move is called off, and what was copied removed, when it is back`;
  return [said(volume, "VolumeMoveFailed", why, "Warning")];
}

const cancelled = (volume: Volume, { node, folder }: Place): Intent =>
  annotated(volume, { [MOVING_TO]: undefined, [LEFT_ON]: `${node}/${folder}` });

function annotated(volume: Volume, changes: Annotations): Intent {
  const all = Object.entries({ ...volume.metadata?.annotations, ...changes });
  const annotations = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  const object = { ...volume, metadata: { ...volume.metadata, annotations } } as PersistentVolume;
  return { do: "update", kind: PersistentVolume, object };
}

const said = (about: KubeObject, reason: string, message: string, type: "Normal" | "Warning" = "Normal"): Intent => ({
  do: "event",
  about,
  type,
  reason,
  message,
});
