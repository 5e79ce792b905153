import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive } from "../../kinds/core/pod-conditions.ts";
import { ReplicationController } from "../../kinds/core/replication-controller.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matcher, matchesLabels } from "../../lib/selectors.ts";
import type { Context, Controller, Intent, Refusal, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import { generatedName } from "../names.ts";
import { claim, controllerOf, controllerRef, keysOfOwners } from "../owners.ts";
import { removal } from "../removal.ts";
import { inDeletionOrder } from "./deletion-order.ts";
import { type Failure, nextAvailable, replicaSetStatus } from "./status.ts";

/**
 * Pods made or removed by one reconcile, at least, and as a share of those that are there: few, since requests wait
 * meanwhile, and more for a large set, since each reconcile looks at all. Their own writes bring the key back.
 */
const BURST = 10;
const BURST_SHARE = 0.001;
const burst = (pods: Pods) => Math.max(BURST, Math.ceil(pods.length * BURST_SHARE));

/** One manager of pods in two kinds, of which the second is the older. */
type Rules<S extends ReplicaSet | ReplicationController> = {
  name: string;
  kind: Kind<S>;
  selector(set: Readonly<S>): (labels: Record<string, string> | undefined) => boolean;
};

function podManager<S extends ReplicaSet | ReplicationController>({ name, kind, selector }: Rules<S>): Controller {
  const podsOf = (view: View, set: Readonly<S>) => {
    const matches = selector(set);
    return claim(view, kind, set, Pod, (pod) => matches(pod.metadata.labels));
  };
  const selects = (set: Readonly<S>, { metadata }: Readonly<KubeObject>) => selector(set)(metadata?.labels);
  return {
    name,
    patient: true,
    watches: [watch(kind, ownKey), watch(Pod, (pod, old, view) => keysOfOwners(kind, pod, old, view, selects))],
    reconcile(view, key, context) {
      const set = view.get(kind, ...splitKey(key));
      if (!set) return [];
      const { claimed, intents } = podsOf(view, set);
      const leaving = set.metadata.deletionTimestamp !== undefined;
      const steps = [...intents, ...(leaving ? [] : scale(view, kind, set as Managed, claimed, context))];
      return steps.length > 0 ? steps : report(kind, set as Managed, claimed, context.now);
    },
    refused(view, key, { intent, error }: Refusal, { now }) {
      const set = view.get(kind, ...splitKey(key));
      if (!set || (intent.do !== "create" && intent.do !== "delete")) return [];
      const creating = intent.do === "create";
      const failure: Failure = { reason: creating ? "FailedCreate" : "FailedDelete", message: error.message };
      const event = warning(set, failure.reason, `Error ${creating ? "creating" : "deleting"}: ${error.message}`);
      return [event, ...report(kind, set as Managed, podsOf(view, set).claimed, now, failure)];
    },
  };
}

/**
 * Keeps `spec.replicas` pods of the template alive.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
 */
export const replicaSetController = podManager({
  name: "replicaset-controller",
  kind: ReplicaSet,
  selector: ({ spec }) => matcher(spec.selector),
});

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/ */
export const replicationController = podManager({
  name: "replication-controller",
  kind: ReplicationController,
  selector:
    ({ spec }) =>
    (labels) =>
      Object.keys(spec?.selector ?? {}).length > 0 && matchesLabels(spec?.selector, labels),
});

type Managed = Readonly<ReplicaSet | ReplicationController>;
type Pods = readonly Readonly<Pod>[];

function scale(view: View, kind: Kind, set: Managed, pods: Pods, context: Context): Intent[] {
  const active = pods.filter(isPodActive);
  const missing = (set.spec?.replicas ?? 1) - active.length;
  if (missing > 0)
    return Array.from({ length: Math.min(missing, burst(pods)) }, () => podOf(kind, set, context.random)).flatMap(
      (pod) => [
        { do: "create", kind: Pod, object: pod },
        normal(set, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`),
      ],
    );
  if (missing === 0) return [];
  return inDeletionOrder(active, relatedPods(view, set, active), context.now)
    .slice(0, Math.min(-missing, burst(pods)))
    .flatMap((pod) => [removal(Pod, pod), normal(set, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`)]);
}

/** Active pods of all ReplicaSets of the same Deployment. */
function relatedPods(view: View, set: Managed, own: Pods): Pods {
  const owner = controllerOf(set);
  if (!owner) return own;
  return view
    .owned(ReplicaSet, owner.uid)
    .filter((sibling) => sibling.spec.replicas || sibling.status?.replicas)
    .flatMap(({ metadata: { uid = "" } }) =>
      uid === set.metadata.uid ? own : view.owned(Pod, uid).filter(isPodActive),
    );
}

function podOf(kind: Kind, set: Managed, random: () => number): Pod {
  const { metadata: { labels, annotations, finalizers } = {}, spec } = set.spec?.template ?? {};
  if (!spec) throw new Error(`${kind.kind} ${set.metadata.name} has no pod template`);
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
      ownerReferences: [controllerRef(kind, set)],
    },
    spec: structuredClone(spec),
  };
}

function report(kind: Kind, set: Managed, pods: Pods, now: number, failure?: Failure): Intent[] {
  const status = replicaSetStatus(set, pods, now, failure);
  const intents: Intent[] = [];
  if (!same(status, set.status)) intents.push({ do: "updateStatus", kind, object: { ...set, status } as Managed });
  const again = nextAvailable(set, pods, now);
  if (again !== undefined) intents.push({ do: "again", afterMs: again });
  return intents;
}
