import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import {
  BUCKET,
  LEFT_ON,
  MOVE_THROUGH,
  MOVE_TO,
  MOVING_TO,
  type Place,
  placeIn,
  receivedBy,
  removedBy,
  TRANSFER,
  TRANSFERRED,
  VOLUME_NODE,
  VOLUMES_PATH,
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
  if (left) return isRemoved(view, left) ? [annotated(volume, NOTHING_LEFT)] : waitFor(view, volume, left);
  const wish = annotations[MOVE_TO];
  const moving = placeIn(annotations, MOVING_TO);
  const claim = claimOf(view, volume);
  const isOtherWay = (annotations[MOVE_THROUGH] === BUCKET) !== (annotations[TRANSFER] !== undefined);
  if (moving && (wish !== moving.node || !claim || isOtherWay)) return [cancelled(volume, moving)];
  if (!wish || !claim) return undefined;
  if (wish === annotations[VOLUME_NODE]) return [annotated(volume, NO_WISH)];
  return moving ? arrive(view, volume, claim, moving) : begin(view, volume, claim, wish, context);
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

/** What is left there could be taken for the data of a later move, or never be removed. */
function waitFor(view: View, volume: Volume, { node, folder }: Place): Intent[] {
  if (conditionOf(view.get(Node, "", node)?.status?.conditions, "Ready")?.status === "True") return [];
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
  const node = view.get(Node, "", to);
  if (!node?.metadata.annotations?.[VOLUMES_PATH]) {
    const why = node ? `node ${JSON.stringify(to)} makes no volumes` : `node ${JSON.stringify(to)} not found`;
    return [said(claim, "VolumeMoveFailed", why, "Warning")];
  }
  const through = volume.metadata?.annotations?.[MOVE_THROUGH];
  if (through !== undefined && through !== BUCKET) {
    const why = `${MOVE_THROUGH} is ${JSON.stringify(through)}: it may be ${JSON.stringify(BUCKET)}, or not be there`;
    return [said(claim, "VolumeMoveFailed", why, "Warning")];
  }
  const users = usersElsewhere(view, claim, to);
  if (users.length > 0) return [said(claim, "WaitForPodsToEnd", `the volume is moved when these end: ${users.join()}`)];
  const { namespace, name } = claim.metadata ?? {};
  const mark = Math.floor(random() * 36 ** MARK_DIGITS)
    .toString(36)
    .padStart(MARK_DIGITS, "0");
  const folder = `${volume.metadata?.name}_${namespace}_${name}.${mark}`;
  return [
    annotated(volume, { [MOVING_TO]: `${to}/${folder}`, [TRANSFER]: through && mark }),
    said(claim, "VolumeMoving", `copying the data to node ${to}${through ? ", through the bucket" : ""}`),
  ];
}

/** Pods that have the claim, or may get it, on any other node. */
function usersElsewhere(view: View, { metadata }: Readonly<PersistentVolumeClaim>, to: string): string[] {
  const uses = (pod: Readonly<Pod>) => podClaims(pod).some(({ claim }) => claim === metadata?.name);
  return view
    .list(Pod, metadata?.namespace)
    .filter((pod) => pod.spec.nodeName && pod.spec.nodeName !== to && !isPodTerminal(pod) && uses(pod))
    .map((pod) => pod.metadata.name ?? "");
}

function arrive(view: View, volume: Volume, claim: Readonly<PersistentVolumeClaim>, to: Place): Intent[] {
  const node = view.get(Node, "", to.node);
  const path = node?.metadata.annotations?.[VOLUMES_PATH];
  if (!node || !path)
    return [cancelled(volume, to), said(claim, "VolumeMoveFailed", `node ${to.node} is gone`, "Warning")];
  const {
    [TRANSFER]: transfer,
    [TRANSFERRED]: transferred,
    [VOLUME_NODE]: from = "",
  } = volume.metadata?.annotations ?? {};
  if (transfer && !transferred) {
    const isSent = receivedBy(view.get(Node, "", from)?.metadata.annotations).includes(to.folder);
    return isSent ? [annotated(volume, { [TRANSFERRED]: "true" })] : [];
  }
  if (!receivedBy(node.metadata.annotations).includes(to.folder)) return [];
  return [
    { do: "together", intents: replaced(volume, node, `${path}/${to.folder}`) },
    said(claim, "VolumeMoved", `the volume is on node ${to.node}`),
  ];
}

/** Where a volume lies cannot be changed, so that it is made anew: it keeps its name, and its claim so its volume. */
function replaced(volume: Volume, node: Readonly<Node>, path: string) {
  const { name = "", uid = "", annotations = {}, labels, finalizers } = volume.metadata ?? {};
  const { [MOVE_TO]: _, [MOVE_THROUGH]: __, [MOVING_TO]: ___, ...kept } = annotations;
  const from = annotations[VOLUME_NODE] ?? "";
  const before = volume.spec?.local?.path ?? "";
  const object = {
    metadata: {
      name,
      labels,
      finalizers,
      annotations: {
        ...kept,
        [VOLUME_NODE]: node.metadata.name ?? "",
        [LEFT_ON]: `${from}/${before.slice(before.lastIndexOf("/") + 1)}`,
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
