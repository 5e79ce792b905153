import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import {
  isProvisioned,
  MOVE_TO,
  nodesWithWork,
  PROVISIONER,
  VOLUME_NODE,
  VOLUMES_PATH,
  VOLUMES_RECEIVED,
  VOLUMES_REMOVED,
  VOLUMES_THROUGH,
} from "../../lib/local-volumes.ts";
import type { Controller, Digest, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { SELECTED_NODE } from "../volumes/matching.ts";
import { isReady, move } from "./move.ts";
import { provision } from "./provision.ts";
import { reclaim } from "./reclaim.ts";
import { resize } from "./resize.ts";

/** On which nodes a volume of this provisioner lies, or is to; nothing for others. */
const PLACES: Digest<PersistentVolume, readonly string[]> = {
  kind: PersistentVolume,
  of: (volume) => {
    const { [VOLUME_NODE]: place = "", [MOVE_TO]: next = "" } = volume.metadata?.annotations ?? {};
    return isProvisioned(volume) ? [...new Set([place, next, ...nodesWithWork(volume)])] : [];
  },
};

/** Volumes that wait for the pods of their claims to end, by their claims. */
const WAITING: Digest<PersistentVolume, string> = {
  kind: PersistentVolume,
  of: (volume) => {
    const { namespace, name } = volume.spec?.claimRef ?? {};
    return isProvisioned(volume) && volume.metadata?.annotations?.[MOVE_TO] ? `${namespace}/${name}` : "";
  },
};

/**
 * Makes volumes on the nodes' own disks for claims whose class asks for them, once the scheduler has chosen a node;
 * lets them grow, moves them to other nodes, and deletes them when their node has removed the data.
 * Its keys are claims (`namespace/name`) and volumes (`/name`).
 * https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/
 */
export const localVolumeProvisioner: Controller = {
  name: PROVISIONER,
  watches: [
    watch(PersistentVolumeClaim, function* (claim, _old, _view, type) {
      if (type !== "DELETED") yield keyOf(claim);
    }),
    watch(PersistentVolume, function* (volume, _old, _view, type) {
      if (type === "DELETED" || !isProvisioned(volume)) return;
      yield keyOf(volume);
      const { namespace, name } = volume.spec?.claimRef ?? {};
      if (name) yield `${namespace}/${name}`;
    }),
    watch(Node, function* (node, old, view, type) {
      const name = node.metadata.name ?? "";
      if (type === "DELETED" || saysMore(node, old))
        for (const [key, places] of view.digest(PLACES)) if (places.includes(name)) yield key;
      if (node.metadata.annotations?.[VOLUMES_PATH] !== old?.metadata.annotations?.[VOLUMES_PATH])
        yield* claimsFor(view, name);
    }),
    watch(Pod, function* (pod, _old, view, type) {
      if (type !== "DELETED" && !isPodTerminal(pod)) return;
      const claims = podClaims(pod).map(({ claim }) => `${pod.metadata.namespace}/${claim}`);
      if (claims.length === 0) return;
      for (const [key, claim] of view.digest(WAITING)) if (claims.includes(claim)) yield key;
    }),
  ],
  reconcile(view, key, context) {
    const [namespace, name] = splitKey(key);
    if (!namespace) {
      const volume = view.get(PersistentVolume, "", name);
      return volume && isProvisioned(volume) ? (move(view, volume, context) ?? reclaim(view, volume)) : [];
    }
    const claim = view.get(PersistentVolumeClaim, namespace, name);
    if (!claim || claim.metadata?.deletionTimestamp) return [];
    return claim.spec?.volumeName ? resize(view, claim) : provision(view, claim);
  },
};

const WORDS = [VOLUMES_PATH, VOLUMES_THROUGH, VOLUMES_RECEIVED, VOLUMES_REMOVED];

/** It has brought or removed volumes, can do what it could not, or was lost or found. */
const saysMore = (node: Readonly<Node>, old: Readonly<Node> | undefined): boolean =>
  WORDS.some((word) => node.metadata.annotations?.[word] !== old?.metadata.annotations?.[word]) ||
  isReady(node) !== isReady(old);

/** Claims that wait for a volume of the node. */
const claimsFor = (view: View, node: string): string[] =>
  view
    .list(PersistentVolumeClaim)
    .filter(({ metadata, spec }) => !spec?.volumeName && metadata?.annotations?.[SELECTED_NODE] === node)
    .map(keyOf);
