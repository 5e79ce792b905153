/** Deployments, StatefulSets and DaemonSets: what they want, have, and are doing. */
import type { Pod, ReplicaSet, Workload } from "../api/objects.ts";
import type { Mood } from "./pods.ts";

export const WORKLOADS = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
  DaemonSet: "daemonsets",
} as const;

export type WorkloadKind = keyof typeof WORKLOADS;
export const isWorkloadKind = (kind: string): kind is WorkloadKind => Object.hasOwn(WORKLOADS, kind);

export const pathOf = (kind: WorkloadKind, namespace: string, name: string): string =>
  `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${WORKLOADS[kind]}/${encodeURIComponent(name)}`;

export type Progress = { wanted: number; ready: number; updated: number; mood: Mood; words: string };

export function progressOf({ metadata, spec, status }: Workload): Progress {
  const wanted = status.desiredNumberScheduled ?? spec.replicas ?? 1;
  const ready = status.numberReady ?? status.readyReplicas ?? 0;
  const updated = status.updatedNumberScheduled ?? status.updatedReplicas ?? 0;
  const all = status.replicas ?? wanted;
  const at = { wanted, ready, updated };
  const isSeen = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (status.conditions?.some(({ reason }) => reason === "ProgressDeadlineExceeded"))
    return { ...at, mood: "bad", words: "the rollout stands still" };
  if (spec.paused) return { ...at, mood: "busy", words: "paused" };
  if (isSeen && ready >= wanted && isPartial(spec))
    return { ...at, mood: "good", words: `${updated} of ${wanted} updated, as asked` };
  if (!isSeen || updated < wanted) return { ...at, mood: "busy", words: `${updated} of ${wanted} updated` };
  if (all > wanted) return { ...at, mood: "busy", words: `${all - wanted} of before still there` };
  if (ready < wanted) return { ...at, mood: "busy", words: `${ready} of ${wanted} ready` };
  return wanted === 0 && spec.replicas === 0
    ? { ...at, mood: "done", words: "scaled to zero" }
    : { ...at, mood: "good", words: "as wanted" };
}

/** Pods of before stay until they are deleted, or those below the partition do. */
const isPartial = ({ updateStrategy }: Workload["spec"]): boolean =>
  updateStrategy?.type === "OnDelete" || (updateStrategy?.rollingUpdate?.partition ?? 0) > 0;

/** The workload's pods, through its ReplicaSets where it has some. */
export function podsOf(workload: Workload, pods: readonly Pod[], replicaSets: readonly ReplicaSet[]): Pod[] {
  const owners = new Set([workload.metadata.uid]);
  for (const { metadata } of replicaSets)
    if (metadata.ownerReferences?.some(({ uid }) => uid === workload.metadata.uid)) owners.add(metadata.uid);
  return pods.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => owners.has(uid)));
}

/** Which version of the workload's template a pod is of. */
export const revisionOf = ({ metadata: { labels = {} } }: Pod): string =>
  labels["pod-template-hash"] ?? labels["controller-revision-hash"] ?? "";

/** Its pods by revision, newest pods' revision first. */
export function byRevision(pods: readonly Pod[]): [string, Pod[]][] {
  const newest = pods.toSorted((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp));
  return [...Map.groupBy(newest, revisionOf)];
}
