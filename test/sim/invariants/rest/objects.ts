/** When everything has come to rest: nothing is left to do, and nothing is half gone. */
import type { CoreV1PersistentVolume, CoreV1Pod } from "../../../../worker/kinds/generated/types.ts";
import { read } from "../../../../worker/kinds/paths.ts";
import { describe, type Entry, type History } from "../history.ts";
import { FINALIZER_PREFIX } from "../marker.ts";
import type { Rule } from "../rule.ts";

export const noWorkDue: Rule = {
  rule: "rest-no-work-due",
  start: ({ truth, fail }) => ({
    rested() {
      const { due } = truth.storage();
      if (due > 0) fail(`${due} rows of work are overdue`);
    },
  }),
};

/** Kinds whose controllers say which generation they have acted on. */
const OBSERVED = [
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "poddisruptionbudgets.policy",
];

export const allObserved: Rule = {
  rule: "rest-generations-are-observed",
  start: ({ history, fail }) => ({
    rested() {
      for (const resource of OBSERVED)
        for (const entry of history.all(resource)) {
          const observed = read(entry.object, "status.observedGeneration");
          const { generation, deletionTimestamp } = entry.object.metadata ?? {};
          if (!deletionTimestamp && observed !== generation)
            fail(`${describe(entry)} is of generation ${generation}, and ${observed} was seen`);
        }
    },
  }),
};

/** What is being deleted is gone, unless clients hold it or what it waits for. */
export const nothingTerminating: Rule = {
  rule: "rest-nothing-terminating",
  start: ({ history, fail }) => ({
    rested() {
      for (const resource of history.resources())
        for (const entry of history.all(resource))
          if (isLeaving(entry) && !isHeld(history, entry, new Set()))
            fail(`${describe(entry)} has been going since ${entry.object.metadata?.deletionTimestamp}`);
    },
  }),
};

export const isLeaving = ({ object }: Entry): boolean => object.metadata?.deletionTimestamp !== undefined;

function isHeld(history: History, entry: Entry, asked: Set<string>): boolean {
  if (asked.has(entry.uid)) return false;
  asked.add(entry.uid);
  if (entry.object.metadata?.finalizers?.some((finalizer) => finalizer.startsWith(FINALIZER_PREFIX))) return true;
  if (isUsed(history, entry)) return true;
  const waitsFor = entry.resource === "namespaces" ? contentsOf(history, entry.name) : history.dependents(entry.uid);
  return waitsFor.some((other) => isLeaving(other) && isHeld(history, other, asked));
}

/** A claim that a pod uses, a volume that is a claim's: https://kubernetes.io/docs/concepts/storage/persistent-volumes/ */
function isUsed(history: History, { resource, name, object }: Entry): boolean {
  if (resource === "persistentvolumeclaims")
    return history.all("pods", object.metadata?.namespace).some(({ object: pod }) => {
      const { spec, status } = pod as CoreV1Pod;
      const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
      return !isOver && (spec.volumes ?? []).some(({ persistentVolumeClaim: claim }) => claim?.claimName === name);
    });
  if (resource !== "persistentvolumes") return false;
  const { uid } = (object as CoreV1PersistentVolume).spec?.claimRef ?? {};
  return uid !== undefined && history.all("persistentvolumeclaims").some((claim) => claim.uid === uid);
}

const contentsOf = (history: History, namespace: string): Entry[] =>
  [...history.resources()].flatMap((resource) => history.all(resource, namespace));
