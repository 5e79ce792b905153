/**
 * Asks the controllers of CSI drivers, by VolumeAttachments, to attach volumes to the nodes of the pods that have them, and
 * to detach them when these are gone. Its keys are PersistentVolumes (`/name`).
 * https://kubernetes-csi.github.io/docs/external-attacher.html
 */
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { CSIDriver } from "../../kinds/storage/csi-driver.ts";
import { VolumeAttachment } from "../../kinds/storage/volume-attachment.ts";
import { attachmentName } from "../../lib/volume-attachments.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Digest, Intent, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { attach } from "./attach.ts";
import { detach, keep } from "./detach.ts";
import type { Attached, Subject } from "./subject.ts";

type Placed = { volume: string; node: string };

/** Which volume is to be on which node. */
const ATTACHMENTS: Digest<VolumeAttachment, Placed> = {
  kind: VolumeAttachment,
  of: ({ spec }) => ({ volume: spec?.source?.persistentVolumeName ?? "", node: spec?.nodeName ?? "" }),
};

/** The driver of each volume that has one. */
const DRIVERS: Digest<PersistentVolume, string> = { kind: PersistentVolume, of: ({ spec }) => spec?.csi?.driver ?? "" };

export const attachDetachController: Controller = {
  name: "attachdetach-controller",
  watches: [
    watch(Pod, function* (pod, old, view, type) {
      const moves = type !== "MODIFIED" || pod.spec.nodeName !== old?.spec.nodeName;
      if (!moves && isPodTerminal(pod) === (old ? isPodTerminal(old) : false)) return;
      for (const { claim } of podClaims(pod)) {
        const { spec } = view.get(PersistentVolumeClaim, pod.metadata.namespace ?? "", claim) ?? {};
        if (spec?.volumeName) yield `/${spec.volumeName}`;
      }
    }),
    watch(PersistentVolumeClaim, function* (claim, old) {
      if (claim.spec?.volumeName && claim.status?.phase !== old?.status?.phase) yield `/${claim.spec.volumeName}`;
    }),
    watch(PersistentVolume, function* (volume, _old, _view, type) {
      if (type !== "DELETED" && volume.spec?.csi) yield keyOf(volume);
    }),
    watch(VolumeAttachment, function* ({ spec }) {
      if (spec?.source?.persistentVolumeName) yield `/${spec.source.persistentVolumeName}`;
    }),
    watch(CSIDriver, function* (driver, _old, view) {
      for (const [key, name] of view.digest(DRIVERS)) if (name === driver.metadata?.name) yield key;
    }),
    watch(Node, function* (node, old, view, type) {
      if (type === "MODIFIED" && tellsOfVolumes(node) === (old && tellsOfVolumes(old))) return;
      for (const { volume, node: on } of view.digest(ATTACHMENTS).values())
        if (on === node.metadata.name && volume) yield `/${volume}`;
    }),
  ],
  reconcile(view, key, { now }) {
    const volume = view.get(PersistentVolume, ...splitKey(key));
    const csi = volume?.spec?.csi;
    if (!volume || !csi) return [];
    const required = view.get(CSIDriver, "", csi.driver ?? "")?.spec?.attachRequired ?? true;
    const subject: Subject = {
      volume,
      name: volume.metadata.name ?? "",
      driver: csi.driver ?? "",
      handle: csi.volumeHandle ?? "",
    };
    const attached = attachmentsOf(view, subject);
    const users = required ? usersOf(view, volume) : [];
    const nodes = new Set(users.map(({ spec }) => spec.nodeName ?? ""));
    const intents: Intent[] = [];
    for (const one of attached) intents.push(...(nodes.has(one.node) ? keep(one) : detach(view, subject, one, now)));
    const taken = attached.map(({ node }) => node);
    for (const node of nodes) {
      const steps = attach(view, subject, { node, users, attached, taken });
      if (steps.some((step) => step.do === "create")) taken.push(node);
      intents.push(...steps);
    }
    return intents;
  },
};

/** Those of this controller's: others may make some of their own. */
function attachmentsOf(view: View, subject: Subject): Attached[] {
  return [...view.digest(ATTACHMENTS)].flatMap(([key, { volume, node }]) => {
    if (volume !== subject.name || key !== `/${attachmentName(subject, node)}`) return [];
    const attachment = view.get(VolumeAttachment, ...splitKey(key));
    return attachment ? [{ node, attachment }] : [];
  });
}

/** Pods that have the volume by its claim, on nodes. */
function usersOf(view: View, { metadata, spec }: Readonly<PersistentVolume>): Readonly<Pod>[] {
  const { namespace = "", name = "", uid } = spec?.claimRef ?? {};
  const claim = name ? view.get(PersistentVolumeClaim, namespace, name) : undefined;
  if (!claim || claim.metadata?.uid !== uid || claim.spec?.volumeName !== metadata.name) return [];
  return view
    .list(Pod, namespace)
    .filter((pod) => pod.spec.nodeName && !isPodTerminal(pod) && podClaims(pod).some((used) => used.claim === name));
}

const tellsOfVolumes = ({ spec, status }: Readonly<Node>): string =>
  JSON.stringify([status?.volumesInUse, conditionOf(status?.conditions, "Ready")?.status, spec?.taints?.length]);
