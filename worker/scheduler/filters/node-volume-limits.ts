import type { View } from "../../controllers/controller.ts";
import { classOf } from "../../controllers/volumes/matching.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { CSINode } from "../../kinds/storage/csi-node.ts";
import { StorageClass } from "../../kinds/storage/storage-class.ts";
import { type Filter, refuse } from "../framework.ts";
import type { NodeInfo } from "../snapshot.ts";
import { claimNames } from "../volumes.ts";

/** Volumes by their drivers. */
type Volumes = Map<string, Set<string>>;

/** https://kubernetes.io/docs/concepts/storage/storage-limits/ */
export const nodeVolumeLimits: Filter = {
  name: "NodeVolumeLimits",
  judge({ pod, namespace }, { view }) {
    const wanted: Volumes = new Map();
    for (const claim of claimNames(pod)) count(view, namespace, claim, wanted);
    if (wanted.size === 0) return undefined;
    return (node) => {
      const drivers = view.get(CSINode, "", node.name)?.spec?.drivers ?? [];
      const limits = drivers.flatMap(({ name, allocatable }) =>
        allocatable?.count !== undefined && wanted.has(name) ? [{ name, most: allocatable.count }] : [],
      );
      if (limits.length === 0) return true;
      const all = onNode(view, node);
      for (const { name, most } of limits) {
        const both = new Set([...(all.get(name) ?? []), ...(wanted.get(name) ?? [])]);
        if (both.size > most && both.size > (all.get(name)?.size ?? 0))
          return refuse("node(s) exceed max volume count");
      }
      return true;
    };
  },
};

function onNode(view: View, node: NodeInfo): Volumes {
  const all: Volumes = new Map();
  for (const { traits } of node.pods.values())
    for (const claim of traits.claims) count(view, traits.namespace, claim, all);
  return all;
}

/** One that is still to be made is its class' driver's to make. */
function count(view: View, namespace: string, name: string, into: Volumes): void {
  const claim = view.get(PersistentVolumeClaim, namespace, name);
  if (!claim) return;
  const csi = claim.spec?.volumeName && view.get(PersistentVolume, "", claim.spec.volumeName)?.spec?.csi;
  const driver = csi
    ? csi.driver
    : claim.spec?.volumeName
      ? ""
      : view.get(StorageClass, "", classOf(claim))?.provisioner;
  if (!driver) return;
  const known = into.get(driver) ?? new Set();
  into.set(driver, known.add(csi ? (csi.volumeHandle ?? "") : `${namespace}/${name}`));
}
