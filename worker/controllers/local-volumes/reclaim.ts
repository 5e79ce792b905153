import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { removedBy, removerOf } from "../../lib/local-volumes.ts";
import { conditionOf } from "../conditions.ts";
import type { Intent, View } from "../controller.ts";
import type { Volume } from "../volumes/matching.ts";

/** Keeps a volume that somebody deletes until its data is gone, where that is to go with it. */
export const FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer";

/** What a volume of this provisioner needs: nothing while it is used. */
export function reclaim(view: View, volume: Volume): Intent[] {
  const isGuarded = volume.metadata?.finalizers?.includes(FINALIZER) ?? false;
  const isToGo = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
  // What is to be kept is nothing to wait for, and the policy can be changed at any time.
  if (isGuarded && !isToGo) return [unguarded(volume)];
  if (!isGuarded && isToGo && !volume.metadata?.deletionTimestamp) return [guarded(volume)];
  const remover = removerOf(volume);
  const isGoing = volume.metadata?.deletionTimestamp && !isGuarded;
  return remover && !isGoing ? remove(view, volume, remover) : [];
}

function remove(view: View, volume: Volume, remover: string): Intent[] {
  const node = view.get(Node, "", remover);
  const name = volume.metadata?.name ?? "";
  if (node && removedBy(node.metadata.annotations).includes(name)) return gone(volume);
  const who = `node ${JSON.stringify(remover)}`;
  // Nobody will ever say so.
  if (!node) return [failed(volume, `${who} is gone, and with it the data`), ...gone(volume)];
  if (conditionOf(node.status?.conditions, "Ready")?.status === "True") return [];
  return [failed(volume, `${who} is not ready: the volume is deleted when it is back`)];
}

const failed = (about: Volume, message: string): Intent => ({
  do: "event",
  about,
  type: "Warning",
  reason: "VolumeFailedDelete",
  message,
});

const withFinalizers = (volume: Volume, finalizers: string[]) => ({
  do: "update" as const,
  kind: PersistentVolume,
  object: { ...volume, metadata: { ...volume.metadata, finalizers } } as PersistentVolume,
});

const guarded = (volume: Volume) => withFinalizers(volume, [...(volume.metadata?.finalizers ?? []), FINALIZER]);

const unguarded = (volume: Volume) =>
  withFinalizers(volume, volume.metadata?.finalizers?.filter((finalizer) => finalizer !== FINALIZER) ?? []);

function gone(volume: Volume): Intent[] {
  const { name = "", uid = "", finalizers, deletionTimestamp } = volume.metadata ?? {};
  const intents: Intent[] = finalizers?.includes(FINALIZER) ? [unguarded(volume)] : [];
  if (!deletionTimestamp) intents.push({ do: "delete", kind: PersistentVolume, namespace: "", name, uid });
  return intents;
}
