/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/ : a volume is one claim's, and goes when its data has. */
import type {
  CoreV1Node,
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
} from "../../../worker/kinds/generated/types.ts";
import { MOVING_TO, type Place, placeIn, receivedBy, removedBy, removerOf } from "../../../worker/lib/local-volumes.ts";
import { describe, type History } from "./history.ts";
import type { Rule } from "./rule.ts";

type Volume = CoreV1PersistentVolume;

/** Whether the node has said that it has removed the data; one that is gone never will. */
function isRemoved(history: History, volume: Volume): boolean {
  const node = history.get<CoreV1Node>("nodes", "", removerOf(volume) ?? "");
  return !node || removedBy(node.object.metadata?.annotations).includes(volume.metadata?.name ?? "");
}

/** Whether the node that a volume moves to has said that it has all data. */
const isReceived = (history: History, { node, folder }: Place): boolean =>
  receivedBy(history.get<CoreV1Node>("nodes", "", node)?.object.metadata?.annotations).includes(folder);

export const volumesWaitForNodes: Rule = {
  rule: "volumes-go-after-their-data",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "persistentvolumes" || step.type !== "DELETED") return;
      const volume = step.object as Volume;
      const to = placeIn(volume.metadata?.annotations, MOVING_TO);
      if (to) return isReceived(history, to) ? undefined : fail(`${describe(step)} moved before its data`);
      if (removerOf(volume) === undefined) fail(`${describe(step)} went while it was ${volume.status?.phase}`);
      if (!isRemoved(history, volume)) fail(`${describe(step)} went before its data`);
    },
  }),
};

/** A claim keeps the volume that it was bound to, and no two have one. */
export const claimsKeepVolumes: Rule = {
  rule: "claims-keep-their-volumes",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "persistentvolumeclaims" || step.type === "DELETED") return;
      const name = (step.object as CoreV1PersistentVolumeClaim).spec?.volumeName;
      const before = (step.old as CoreV1PersistentVolumeClaim | undefined)?.spec?.volumeName;
      if (before && step.before?.uid === step.uid && before !== name)
        fail(`${describe(step)} had ${before} and has ${name}`);
      if (!name || before === name) return;
      const volume = history.get<Volume>("persistentvolumes", "", name);
      const { claimRef } = volume?.object.spec ?? {};
      if (claimRef?.uid !== step.uid) fail(`${describe(step)} has ${name}, which is that of ${claimRef?.name}`);
    },
  }),
};

/** When everything has come to rest: volumes have claims, but for those whose node cannot say that they are gone. */
export const volumesHaveClaims: Rule = {
  rule: "rest-volumes-have-claims",
  start: ({ history, truth, fail }) => ({
    rested() {
      for (const entry of history.all<Volume>("persistentvolumes")) {
        const remover = removerOf(entry.object);
        if (remover && truth.nodes().get(remover)?.running) fail(`${describe(entry)} was let go and is still there`);
        const uid = entry.object.spec?.claimRef?.uid ?? "";
        const isBound = entry.object.status?.phase === "Bound";
        if (isBound !== (history.byUid(uid) !== undefined))
          fail(`${describe(entry)} is ${entry.object.status?.phase}, and its claim is ${isBound ? "gone" : "there"}`);
      }
    },
  }),
};

/** No data is removed while a pod has it, whatever has become of the pod's object. */
export const unusedGoes: Rule = {
  rule: "volumes-go-after-their-pods",
  start: ({ fail }) => ({
    seen(observation) {
      if (observation.type !== "removal" || observation.users.length === 0) return;
      fail(`${observation.folder} is removed on ${observation.node}, and ${observation.users.join()} have it`);
    },
  }),
};
