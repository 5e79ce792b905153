import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { isProvisioned, PROVISIONER, removedBy, VOLUME_NODE, VOLUMES_PATH } from "../../lib/local-volumes.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Digest, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { SELECTED_NODE } from "../volumes/matching.ts";
import { provision } from "./provision.ts";
import { reclaim } from "./reclaim.ts";
import { resize } from "./resize.ts";

/** On which node a volume of this provisioner lies; "" for others. */
const PLACES: Digest<PersistentVolume, string> = {
  kind: PersistentVolume,
  of: (volume) => (isProvisioned(volume) ? (volume.metadata?.annotations?.[VOLUME_NODE] ?? "") : ""),
};

/**
 * Makes volumes on the nodes' own disks for claims whose class asks for them, once the scheduler has chosen a node;
 * lets them grow, and deletes them when their node has removed the data.
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
        for (const [key, place] of view.digest(PLACES)) if (place === name) yield key;
      if (node.metadata.annotations?.[VOLUMES_PATH] !== old?.metadata.annotations?.[VOLUMES_PATH])
        yield* claimsFor(view, name);
    }),
  ],
  reconcile(view, key) {
    const [namespace, name] = splitKey(key);
    if (!namespace) {
      const volume = view.get(PersistentVolume, "", name);
      return volume && isProvisioned(volume) ? reclaim(view, volume) : [];
    }
    const claim = view.get(PersistentVolumeClaim, namespace, name);
    if (!claim || claim.metadata?.deletionTimestamp) return [];
    return claim.spec?.volumeName ? resize(view, claim) : provision(view, claim);
  },
};

const isReady = (node: Readonly<Node> | undefined) => conditionOf(node?.status?.conditions, "Ready")?.status === "True";

/** It has removed volumes, or was lost or found. */
const saysMore = (node: Readonly<Node>, old: Readonly<Node> | undefined): boolean =>
  removedBy(node.metadata.annotations).join() !== removedBy(old?.metadata.annotations).join() ||
  isReady(node) !== isReady(old);

/** Claims that wait for a volume of the node. */
const claimsFor = (view: View, node: string): string[] =>
  view
    .list(PersistentVolumeClaim)
    .filter(({ metadata, spec }) => !spec?.volumeName && metadata?.annotations?.[SELECTED_NODE] === node)
    .map(keyOf);
