/** https://kubernetes.io/docs/concepts/architecture/garbage-collection/ */
import { read } from "../../../worker/kinds/paths.ts";
import { describe, type History, type Step } from "./history.ts";
import type { Rule, Scene } from "./rule.ts";
import { isNamespaceLeaving } from "./writes.ts";

const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";

/** Kinds that no controller deletes but the garbage collector: others' controllers have reasons of their own. */
const PLAIN = new Set(["configmaps", "secrets", "serviceaccounts", "services", "deployments.apps"]);

const isBeginning = ({ old, object, type }: Step): boolean =>
  old !== undefined &&
  !old.metadata?.deletionTimestamp &&
  (type === "DELETED" || object.metadata?.deletionTimestamp !== undefined);

/** An owner that holds its dependents: there, and not waiting for them to go. */
function isSolid(history: History, uid: string): boolean {
  const owner = history.byUid(uid)?.object.metadata;
  return owner !== undefined && !(owner.deletionTimestamp && owner.finalizers?.includes(FOREGROUND));
}

/** Nothing is collected while an owner lives. */
export const prematureCollection: Rule = {
  rule: "no-premature-collection",
  start: ({ history, requests, fail }) => ({
    step(step) {
      const owners = step.old?.metadata?.ownerReferences ?? [];
      if (owners.length === 0 || !isBeginning(step)) return;
      const isBusySet = step.resource === "replicasets.apps" && !isIdle(step);
      if (!PLAIN.has(step.resource) && !isBusySet) return;
      if (requests.deletionsOf(step).length > 0 || isNamespaceLeaving(history, step.namespace)) return;
      const alive = owners.find(({ uid }) => isSolid(history, uid));
      if (alive) fail(`${describe(step)} was deleted though its owner ${alive.kind} ${alive.name} lives`);
    },
  }),
};

/** A Deployment forgets old sets, but only empty ones. */
const isIdle = ({ old }: Step): boolean => read(old, "spec.replicas") === 0 && !read(old, "status.replicas");

/** In the end no object is left whose owners are all gone. */
export const noOrphans: Rule = {
  rule: "no-orphans",
  start: ({ history, fail }) => ({
    rested() {
      for (const resource of history.resources())
        for (const entry of history.all(resource)) {
          const owners = entry.object.metadata?.ownerReferences ?? [];
          if (owners.length > 0 && !owners.some(({ uid }) => history.byUid(uid)))
            fail(`${describe(entry)} is left of ${owners.map(({ kind, name }) => `${kind} ${name}`).join()}`);
        }
    },
  }),
};

/** Foreground deletion waits for dependents that block it; orphaning lets go of all before the owner goes. */
export const dependentsFirst: Rule = {
  rule: "dependents-first",
  start: (scene) => ({
    step(step) {
      const before = step.old?.metadata?.finalizers ?? [];
      const after = step.type === "DELETED" ? [] : (step.object.metadata?.finalizers ?? []);
      for (const finalizer of [FOREGROUND, ORPHAN])
        if (before.includes(finalizer) && !after.includes(finalizer)) checkReleased(scene, step, finalizer);
    },
  }),
};

function checkReleased({ history, requests, fail }: Scene, step: Step, finalizer: string): void {
  // A second deletion may ask for another way.
  if (requests.deletionsOf(step).length > 1 || isNamespaceLeaving(history, step.namespace)) return;
  for (const dependent of history.dependents(step.uid)) {
    const reference = dependent.object.metadata?.ownerReferences?.find(({ uid }) => uid === step.uid);
    if (finalizer === ORPHAN || reference?.blockOwnerDeletion)
      fail(`${describe(step)} is through with ${finalizer} at ${step.revision} before ${describe(dependent)}`);
  }
}
