import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive } from "../../kinds/core/pod-conditions.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import type { Context, Controller, Intent, Refusal, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { ownKey, splitKey } from "../keys.ts";
import { generatedName } from "../names.ts";
import { claim, controllerOf, controllerRef, keysOfOwners } from "../owners.ts";
import { inDeletionOrder } from "./deletion-order.ts";
import { type Failure, nextAvailable, replicaSetStatus } from "./status.ts";

/** Pods made or removed by one reconcile; their own writes bring the key back for the rest. */
const BURST = 500;

const selects = (set: Readonly<ReplicaSet>, object: Readonly<KubeObject>): boolean =>
  matchesSelector(set.spec.selector, object.metadata?.labels);

/**
 * Keeps `spec.replicas` pods of the template alive.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
 */
export const replicaSetController: Controller = {
  name: "replicaset-controller",
  patient: true,
  watches: [
    { kind: ReplicaSet, keys: ownKey },
    { kind: Pod, keys: (pod, old, view) => keysOfOwners(ReplicaSet, pod, old, view, selects) },
  ],
  reconcile(view, key, context) {
    const set = view.get(ReplicaSet, ...splitKey(key));
    if (!set) return [];
    const { claimed, intents } = claim(view, ReplicaSet, set, Pod, (pod) => selects(set, pod));
    const steps = [...intents, ...(set.metadata.deletionTimestamp ? [] : scale(view, set, claimed, context))];
    return steps.length > 0 ? steps : report(set, claimed, context.now);
  },
  refused(view, key, { intent, error }: Refusal, { now }) {
    const set = view.get(ReplicaSet, ...splitKey(key));
    if (!set || (intent.do !== "create" && intent.do !== "delete")) return [];
    const failure: Failure = {
      reason: intent.do === "create" ? "FailedCreate" : "FailedDelete",
      message: error.message,
    };
    const verb = intent.do === "create" ? "creating" : "deleting";
    const { claimed } = claim(view, ReplicaSet, set, Pod, (pod) => selects(set, pod));
    return [warning(set, failure.reason, `Error ${verb}: ${error.message}`), ...report(set, claimed, now, failure)];
  },
};

function scale(view: View, set: Readonly<ReplicaSet>, pods: readonly Readonly<Pod>[], context: Context): Intent[] {
  const active = pods.filter(isPodActive);
  const missing = (set.spec.replicas ?? 1) - active.length;
  if (missing > 0)
    return Array.from({ length: Math.min(missing, BURST) }, () => podOf(set, context.random)).flatMap((pod) => [
      { do: "create", kind: Pod, object: pod },
      normal(set, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`),
    ]);
  if (missing === 0) return [];
  return inDeletionOrder(active, relatedPods(view, set, active), context.now)
    .slice(0, Math.min(-missing, BURST))
    .flatMap(({ metadata: { namespace = "", name = "", uid = "" } }) => [
      { do: "delete", kind: Pod, namespace, name, uid },
      normal(set, "SuccessfulDelete", `Deleted pod: ${name}`),
    ]);
}

/** Active pods of all ReplicaSets of the same Deployment. */
function relatedPods(view: View, set: Readonly<ReplicaSet>, own: readonly Readonly<Pod>[]): readonly Readonly<Pod>[] {
  const owner = controllerOf(set);
  if (!owner) return own;
  return view
    .owned(ReplicaSet, owner.uid)
    .filter((sibling) => sibling.spec.replicas || sibling.status?.replicas)
    .flatMap((sibling) =>
      sibling.metadata.uid === set.metadata.uid ? own : view.owned(Pod, sibling.metadata.uid ?? "").filter(isPodActive),
    );
}

function podOf(set: Readonly<ReplicaSet>, random: () => number): Pod {
  const { metadata: { labels, annotations, finalizers } = {}, spec } = set.spec.template ?? {};
  if (!spec) throw new Error(`ReplicaSet ${set.metadata.name} has no pod template`);
  const base = `${set.metadata.name}-`;
  return {
    apiVersion: Pod.apiVersion,
    kind: Pod.kind,
    metadata: {
      name: generatedName(base, random),
      generateName: base,
      namespace: set.metadata.namespace,
      ...(labels && { labels: { ...labels } }),
      ...(annotations && { annotations: { ...annotations } }),
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [controllerRef(ReplicaSet, set)],
    },
    spec: structuredClone(spec),
  };
}

function report(set: Readonly<ReplicaSet>, pods: readonly Readonly<Pod>[], now: number, failure?: Failure): Intent[] {
  const status = replicaSetStatus(set, pods, now, failure);
  const intents: Intent[] = [];
  if (!same(status, set.status))
    intents.push({ do: "updateStatus", kind: ReplicaSet, object: { ...set, status } as ReplicaSet });
  const again = nextAvailable(set, pods, now);
  if (again !== undefined) intents.push({ do: "again", afterMs: again });
  return intents;
}
