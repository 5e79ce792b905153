/** Volumes of drivers that attach them to nodes: https://kubernetes-csi.github.io/docs/external-attacher.html */
import { podClaims } from "../../../worker/kinds/core/pod-claims.ts";
import type {
  CoreV1Node,
  CoreV1PersistentVolume,
  StorageV1VolumeAttachment,
} from "../../../worker/kinds/generated/types.ts";
import { uniqueName } from "../../../worker/lib/volume-attachments.ts";
import { loserOf } from "./faults.ts";
import { describe, type Step } from "./history.ts";
import type { Pod } from "./pods.ts";
import type { Rule } from "./rule.ts";

type Attachment = StorageV1VolumeAttachment;

const ATTACHMENTS = "volumeattachments.storage.k8s.io";
const volumeOf = ({ spec }: Readonly<Attachment>): string => spec?.source?.persistentVolumeName ?? "";

/** Those of the workload are for one node at a time, the one that they are leaving included. */
export const attachedToOne: Rule = {
  rule: "attached-to-one-node",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== ATTACHMENTS || step.type !== "ADDED") return;
      const volume = volumeOf(step.object as Attachment);
      for (const { uid, object } of history.all<Attachment>(ATTACHMENTS))
        if (uid !== step.uid && volumeOf(object) === volume)
          fail(`${describe(step)} is of ${volume}, which ${object.spec?.nodeName} has`);
    },
  }),
};

/** A node that does not answer is waited for so long: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/ */
const FORCED_MS = 360_000;
/** Times in objects are in whole seconds. */
const SECOND_MS = 1_000;

/** What is mounted is not detached, unless its node is gone or lost for long. A disk that was lost or put back knows of none. */
export const mountedStaysAttached: Rule = {
  rule: "mounted-stays-attached",
  start({ history, truth, fail }) {
    /** `NODE VOLUME POD`. */
    const mounts = new Set<string>();
    const forgetful = new Set<string>();
    function mayDetach(name: string, at: number): boolean {
      const node = history.get<CoreV1Node>("nodes", "", name)?.object;
      const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
      const lostAt = ready?.status === "True" ? at : Date.parse(ready?.lastTransitionTime ?? "") || 0;
      return !node || forgetful.has(name) || at - lostAt > FORCED_MS - SECOND_MS;
    }
    return {
      seen(observation) {
        const loser = loserOf(truth, observation);
        if (loser) forgetful.add(loser);
        if (observation.type !== "mount") return;
        const mount = `${observation.node} ${observation.volume} ${observation.podUid}`;
        if (observation.mounted) mounts.add(mount);
        else mounts.delete(mount);
      },
      step(step) {
        if (step.resource !== ATTACHMENTS || step.type === "ADDED") return;
        const { object, old, type, at } = step as Step<Attachment>;
        const isLeaving = type === "DELETED" || object.metadata?.deletionTimestamp !== undefined;
        const node = object.spec?.nodeName ?? "";
        if (!isLeaving || old?.metadata?.deletionTimestamp || mayDetach(node, at)) return;
        for (const mount of mounts)
          if (mount.startsWith(`${node} ${volumeOf(object)} `)) fail(`${describe(step)} goes, and ${mount} is mounted`);
      },
    };
  },
};

/** When everything has come to rest: what is attached has a user, and its node and the driver say that it is. */
export const attachmentsFollow: Rule = {
  rule: "rest-attachments-follow-pods",
  start: ({ history, fail }) => ({
    rested() {
      const told = new Set<string>();
      for (const { metadata, status } of history.objects<CoreV1Node>("nodes"))
        for (const { name } of status?.volumesAttached ?? []) told.add(`${metadata?.name} ${name}`);
      for (const entry of history.all<Attachment>(ATTACHMENTS)) {
        const { spec, status } = entry.object;
        const volume = history.get<CoreV1PersistentVolume>("persistentvolumes", "", volumeOf(entry.object));
        const { claimRef, csi } = volume?.object.spec ?? {};
        const isUsed = history
          .objects<Pod>("pods", claimRef?.namespace ?? "")
          .filter((pod) => pod.spec.nodeName === spec?.nodeName)
          .some((pod) => podClaims(pod).some(({ claim }) => claim === claimRef?.name));
        if (!isUsed) fail(`${describe(entry)} is of ${volumeOf(entry.object)}, which no pod of ${spec?.nodeName} has`);
        const name = uniqueName({ driver: csi?.driver ?? "", handle: csi?.volumeHandle ?? "" });
        if (!status?.attached || !told.delete(`${spec?.nodeName} ${name}`))
          fail(`${describe(entry)} is wanted, and ${status?.attached ? "its node does not say so" : "not there"}`);
      }
      for (const left of told) fail(`${left} is said to be attached, and is not`);
    },
  }),
};
