import { withCondition } from "../controllers/conditions.ts";
import type { Controller, Intent, View } from "../controllers/controller.ts";
import { keyOf, splitKey, watch } from "../controllers/keys.ts";
import { disrupted } from "../controllers/pods.ts";
import { removal } from "../controllers/removal.ts";
import { Node } from "../kinds/core/node.ts";
import { PersistentVolume } from "../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../kinds/core/pod.ts";
import { hasSchedulingGates, isPodTerminal } from "../kinds/core/pod-conditions.ts";
import { DEFAULT_SCHEDULER } from "../kinds/core/pod-defaults.ts";
import { podRequests } from "../kinds/core/pod-resources.ts";
import { same } from "../kinds/paths.ts";
import { ZERO } from "../lib/quantity.ts";
import { best, feasibility, nodesToFind } from "./choose.ts";
import { explain } from "./explain.ts";
import type { Cluster } from "./framework.ts";
import { Nominations } from "./nominations.ts";
import { type PodInfo, podInfo } from "./pod.ts";
import { ineligible, preempt } from "./preempt.ts";
import { type NodeInfo, Snapshot } from "./snapshot.ts";
import { bindLate, claimNames, claimsOf } from "./volumes.ts";

const isOurs = ({ spec, metadata }: Readonly<Pod>): boolean =>
  !spec.nodeName && !metadata.deletionTimestamp && (spec.schedulerName ?? DEFAULT_SCHEDULER) === DEFAULT_SCHEDULER;

/** What a scheduler remembers between calls; `Memory.of` makes it anew from the view. */
type Memory = {
  snapshot: Snapshot;
  /** Reads into the snapshot what is not there yet; absent when all is. */
  loading: Iterator<void> | undefined;
  /** The node that the next search begins with, on a cluster where a search does not look at all. */
  next: number;
  /** Pods that no node was found for, by key: does it matter to them which other pods are where? */
  unplaced: Map<string, boolean>;
  nominations: Nominations;
};

function remember(view: View): Memory {
  const unplaced = view.onNode(Pod, "").filter(isOurs);
  const nominations = new Nominations();
  for (const pod of unplaced) {
    const node = pod.status?.nominatedNodeName;
    if (node) nominations.set(podInfo(pod), node);
  }
  const snapshot = new Snapshot();
  return {
    snapshot,
    loading: snapshot.load(view),
    next: 0,
    unplaced: new Map(unplaced.map((pod) => [keyOf(pod), mindsCompany(pod)])),
    nominations,
  };
}

/** Pages read before others have a turn. */
const PAGES_AT_ONCE = 5;

/** Reads on; true when the snapshot has all that there is. */
function isLoaded(memory: Memory): boolean {
  for (let i = 0; memory.loading && i < PAGES_AT_ONCE; i++) if (memory.loading.next().done) memory.loading = undefined;
  return memory.loading === undefined;
}

const mindsCompany = ({ spec }: Readonly<Pod>): boolean =>
  Boolean(spec.affinity?.podAffinity || spec.affinity?.podAntiAffinity || spec.topologySpreadConstraints?.length);

/**
 * Chooses a node for every pod that has none. See README.md for the pipeline.
 *
 * Each call makes a scheduler with a memory of its own; it must see every write to pods and nodes, through its watches.
 */
export function scheduler(): Controller {
  let memory: Memory | undefined;
  const recall = (view: View): Memory => {
    memory ??= remember(view);
    return memory;
  };

  return {
    name: DEFAULT_SCHEDULER,
    watches: [
      watch(Pod, function* (pod, old, view, type) {
        const gone = type === "DELETED";
        if (gone) forget(memory, pod);
        else memory?.snapshot.setPod(pod);
        if (isOurs(pod) && !gone) {
          if (wantsAnotherTry(pod, old)) yield keyOf(pod);
        } else if (pod.spec.nodeName) yield* helped(recall(view), pod, old, gone);
      }),
      watch(Node, function* (node, old, view, type) {
        if (type === "DELETED") memory?.snapshot.removeNode(node.metadata.name ?? "");
        else memory?.snapshot.setNode(node);
        if (type !== "DELETED" && offersMore(node, old)) yield* recall(view).unplaced.keys();
      }),
      watch(PersistentVolumeClaim, (claim, _old, view) => claiming(recall(view), view, claim.metadata?.name)),
      watch(PersistentVolume, (_volume, _old, view) => claiming(recall(view), view)),
    ],
    priorityOf: (view, key) => view.get(Pod, ...splitKey(key))?.spec.priority ?? 0,
    reconcile(view, key, { now }) {
      const pod = view.get(Pod, ...splitKey(key));
      const remembered = recall(view);
      remembered.unplaced.delete(key);
      if (!pod || !isOurs(pod) || hasSchedulingGates(pod)) return [];
      if (!isLoaded(remembered)) return [{ do: "again", afterMs: 0 }];
      return schedule(pod, view, remembered, now);
    },
    refused(_view, _key, { intent }) {
      if (intent.do === "bind") memory?.snapshot.removePod(intent.uid);
      return [];
    },
  };
}

function forget(memory: Memory | undefined, pod: Readonly<Pod>): void {
  memory?.snapshot.removePod(pod.metadata.uid ?? "");
  memory?.nominations.delete(pod.metadata.uid ?? "");
  memory?.unplaced.delete(keyOf(pod));
}

function schedule(pod: Readonly<Pod>, view: View, memory: Memory, now: number): Intent[] {
  const { snapshot, unplaced, nominations } = memory;
  const cluster: Cluster = { view, snapshot };
  const info = podInfo(pod);
  snapshot.removePod(info.uid); // where its volumes were awaited
  const enough = nodesToFind(snapshot.nodes.size);
  const { feasible, refused } = feasibility(info, cluster, search(memory, info), enough);
  if (feasible.length >= enough) memory.next += feasible.length + refused.size;
  const chosen = best(info, cluster, feasible);
  if (chosen) {
    const claims = claimsOf(view, pod);
    if ("late" in claims && (claims.late.length > 0 || claims.isSettling)) {
      unplaced.set(keyOf(pod), mindsCompany(pod));
      snapshot.place(info, chosen.name); // others are to see it there until its volumes are
      return bindLate(view, claims.late, chosen);
    }
    nominations.delete(info.uid);
    return assign(info, chosen, snapshot);
  }
  unplaced.set(keyOf(pod), mindsCompany(pod));
  const why = [...refused.values()];
  const reason = ineligible(info, snapshot.nodes);
  if (reason) return unschedulable(pod, explain(why, { ineligible: reason }), now);
  const preemption = preempt(info, cluster, refused);
  if (!preemption) return unschedulable(pod, explain(why, "none"), now);
  const withdrawn = nominations.outrank(info.priority, preemption.node).flatMap((other) => withdraw(view, other));
  nominations.set(info, preemption.node);
  const evictions = preemption.victims.flatMap((victim) => evict(victim.pod, info, preemption.node, now));
  return [...unschedulable(pod, explain(why, "found"), now, preemption.node), ...withdrawn, ...evictions];
}

/** Takes its nomination from a pod, which is tried again when that is seen. */
function withdraw(view: View, { pod }: PodInfo): Intent[] {
  const current = view.get(Pod, ...splitKey(keyOf(pod)));
  if (!current?.status?.nominatedNodeName) return [];
  const { nominatedNodeName: _, ...status } = current.status;
  return [{ do: "updateStatus", kind: Pod, object: { ...current, status } as Pod }];
}

/** All nodes as the pod must see them, beginning where the last search ended. */
function* search({ snapshot, nominations, next }: Memory, info: PodInfo): Iterable<NodeInfo> {
  const { order } = snapshot;
  for (let i = 0; i < order.length; i++) yield nominations.seenBy(info, order[(next + i) % order.length] as NodeInfo);
}

/** Makes a pod leave for one of higher priority. */
function evict(victim: Readonly<Pod>, by: PodInfo, node: string, now: number): Intent[] {
  if (victim.metadata.deletionTimestamp) return [];
  const why = `${DEFAULT_SCHEDULER}: preempting to accommodate a higher priority pod`;
  return [
    {
      do: "updateStatus",
      kind: Pod,
      object: { ...victim, status: disrupted(victim, "PreemptionByScheduler", why, now) } as Pod,
    },
    removal(Pod, victim),
    {
      do: "event",
      about: victim,
      type: "Normal",
      reason: "Preempted",
      message: `Preempted by pod ${by.uid} on node ${node}`,
      action: "Preempting",
    },
  ];
}

function assign(info: PodInfo, node: NodeInfo, snapshot: Snapshot): Intent[] {
  const { namespace = "", name = "", uid = "" } = info.pod.metadata;
  // The next pod must see this one's room as taken, whether or not the binding's own write has come round by then.
  snapshot.place(info, node.name);
  return [
    { do: "bind", namespace, name, uid, node: node.name },
    {
      do: "event",
      about: info.pod,
      type: "Normal",
      reason: "Scheduled",
      message: `Successfully assigned ${namespace}/${name} to ${node.name}`,
      action: "Binding",
    },
  ];
}

function unschedulable(pod: Readonly<Pod>, message: string, now: number, nominatedNodeName?: string): Intent[] {
  const { generation } = pod.metadata;
  const seen = generation ? { observedGeneration: generation } : {};
  const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, ...seen };
  const conditions = withCondition(pod.status?.conditions, condition, now);
  // The same again is no news: a full cluster would else write for every waiting pod whenever anything moves.
  const status = { ...pod.status, conditions, ...(nominatedNodeName && { nominatedNodeName }) };
  if (same(status, pod.status)) return [];
  return [
    { do: "updateStatus", kind: Pod, object: { ...pod, status } as Pod },
    { do: "event", about: pod, type: "Warning", reason: "FailedScheduling", message, action: "Scheduling" },
  ];
}

/** Our own condition on a pod is no news about it; that it is nominated no more is. */
const wantsAnotherTry = (pod: Readonly<Pod>, old: Readonly<Pod> | undefined): boolean =>
  !old ||
  !same(pod.spec, old.spec) ||
  !same(pod.metadata.labels, old.metadata.labels) ||
  (old.status?.nominatedNodeName !== undefined && !pod.status?.nominatedNodeName);

/** A resize made it ask for less of something. */
function shrank(pod: Readonly<Pod>, old: Readonly<Pod> | undefined): boolean {
  if (!old || same(pod.spec, old.spec)) return false;
  const now = podRequests(pod);
  return Object.entries(podRequests(old)).some(([name, before]) => (now[name] ?? ZERO).nano < before.nano);
}

/** A pod that ends or shrinks frees what it held; one that is placed or relabelled may be the company that another waits for. */
function* helped(
  { unplaced }: Memory,
  pod: Readonly<Pod>,
  old: Readonly<Pod> | undefined,
  gone: boolean,
): Iterable<string> {
  const ended = isPodTerminal(pod) && !(old && isPodTerminal(old));
  const moved = old?.spec.nodeName !== pod.spec.nodeName || !same(pod.metadata.labels, old?.metadata.labels);
  if (gone || ended || shrank(pod, old)) yield* unplaced.keys();
  else if (moved) for (const [key, minds] of unplaced) if (minds) yield key;
}

/** Pods without a node that wait for this claim, or for any. */
function* claiming({ unplaced }: Memory, view: View, claim?: string): Iterable<string> {
  for (const key of unplaced.keys()) {
    const pod = view.get(Pod, ...splitKey(key));
    const names = pod ? claimNames(pod) : [];
    if (claim === undefined ? names.length > 0 : names.includes(claim)) yield key;
  }
}

function offersMore(node: Readonly<Node>, old: Readonly<Node> | undefined): boolean {
  return (
    !old ||
    !same(node.metadata.labels, old.metadata.labels) ||
    !same(node.spec, old.spec) ||
    !same(node.status?.allocatable, old.status?.allocatable)
  );
}
