import type { Deployment } from "../../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { annotatedSize, DESIRED_REPLICAS, MAX_REPLICAS } from "./annotations.ts";
import { isRolling, maxTotal, replicasOf } from "./bounds.ts";
import { createdAt, type Resize } from "./rolling.ts";

type Sets = readonly Readonly<ReplicaSet>[];

export const sizeOf = (set: Readonly<ReplicaSet>): number => set.spec.replicas ?? 1;

/** True when the user changed `spec.replicas` since the sets in use were last scaled. */
export function wasScaled(d: Readonly<Deployment>, sets: Sets): boolean {
  return sets.some((set) => {
    const desired = annotatedSize(set, DESIRED_REPLICAS);
    return sizeOf(set) > 0 && desired !== undefined && desired !== replicasOf(d);
  });
}

/**
 * Sizes for a Deployment that is scaled or paused. In the middle of a rollout each set in use gets its share, so that
 * the risk stays as it was; else the one set in use gets all.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
 */
export function scaled(d: Readonly<Deployment>, newest: Readonly<ReplicaSet> | undefined, old: Sets): Resize[] {
  const all = newest ? [newest, ...old] : old;
  const active = all.filter((set) => sizeOf(set) > 0);
  const only = active.length === 0 ? (newest ?? old.toSorted((a, b) => createdAt(b) - createdAt(a))[0]) : active[0];
  if (active.length <= 1) return only ? [{ set: only, to: replicasOf(d) }] : [];
  if (newest && isSaturated(d, newest)) return active.filter((set) => set !== newest).map((set) => ({ set, to: 0 }));
  return isRolling(d) ? proportional(d, active) : [];
}

function isSaturated(d: Readonly<Deployment>, set: Readonly<ReplicaSet>): boolean {
  const replicas = replicasOf(d);
  return (
    annotatedSize(set, DESIRED_REPLICAS) === replicas &&
    sizeOf(set) === replicas &&
    (set.status?.availableReplicas ?? 0) === replicas
  );
}

function proportional(d: Readonly<Deployment>, active: Sets): Resize[] {
  const allowed = replicasOf(d) > 0 ? maxTotal(d) : 0;
  const toAdd = allowed - active.reduce((n, set) => n + sizeOf(set), 0);
  const newerFirst = toAdd > 0 ? 1 : -1;
  const largestFirst = active.toSorted((a, b) => sizeOf(b) - sizeOf(a) || newerFirst * (createdAt(b) - createdAt(a)));
  let left = toAdd;
  const resizes = largestFirst.map((set) => {
    const share = shareOf(d, set);
    const part = toAdd > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
    left -= part;
    return { set, to: sizeOf(set) + part };
  });
  // Rounding leaves a rest; the largest set takes it.
  const [largest] = resizes;
  if (largest) largest.to = Math.max(0, largest.to + left);
  return resizes;
}

/** What a set gains or loses when the whole goes from what it was last scaled for to what is wanted now. */
function shareOf(d: Readonly<Deployment>, set: Readonly<ReplicaSet>): number {
  if (replicasOf(d) === 0) return -sizeOf(set);
  const before = annotatedSize(set, MAX_REPLICAS) || d.status?.replicas || 0;
  return before === 0 ? 0 : Math.round((sizeOf(set) * maxTotal(d)) / before) - sizeOf(set);
}
