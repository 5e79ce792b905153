import type { Deployment } from "../../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { maxTotal, minAvailable, replicasOf } from "./bounds.ts";

/** A ReplicaSet with what its pods are at this moment; its status may lag behind both. */
export type Counted = {
  set: Readonly<ReplicaSet>;
  /** `spec.replicas`. */
  size: number;
  /** Pods neither finished nor being deleted. */
  alive: number;
  ready: number;
  /** Ready for `minReadySeconds`. */
  available: number;
};

export type Resize = { set: Readonly<ReplicaSet>; to: number };

const sum = <T>(items: readonly T[], value: (item: T) => number) => items.reduce((n, item) => n + value(item), 0);

/**
 * Pods sure to be available once a set has shrunk to `size`: it gives up unready pods first, of the ready ones any.
 */
function surviving({ alive, ready, available }: Counted, size: number): number {
  const doomed = Math.max(0, alive - size);
  return Math.max(0, available - Math.max(0, doomed - (alive - ready)));
}

/**
 * How large the newest set may be now. Pods that exist count, and so do those that were asked for, so that the surge
 * holds also between one controller's decision and the next one's act.
 */
export function newestSize(d: Readonly<Deployment>, newest: Counted, old: readonly Counted[]): number {
  const wanted = replicasOf(d);
  if (newest.size >= wanted) return wanted;
  const total = sum([newest, ...old], ({ size, alive }) => Math.max(size, alive));
  return newest.size + Math.max(0, Math.min(maxTotal(d) - total, wanted - newest.size));
}

/**
 * How far old sets can shrink now without taking what `maxUnavailable` protects: first their unready pods, which would
 * else hold the rollout up, then what the newest set has replaced. Oldest sets first.
 */
export function shrinkOld(d: Readonly<Deployment>, newest: Counted, old: readonly Counted[]): Resize[] {
  const floor = minAvailable(d);
  const sizes = new Map(old.map((counted) => [counted, counted.size]));
  const shrink = (counted: Counted, by: number) => sizes.set(counted, (sizes.get(counted) ?? 0) - by);
  const oldestFirst = old.toSorted((a, b) => createdAt(a.set) - createdAt(b.set));

  // Pods of the newest set that are not available yet may never be: they do not count as replacements.
  const missing = newest.size - Math.min(newest.size, newest.available);
  let spare = sum([newest, ...old], ({ size }) => size) - floor - missing;
  if (spare <= 0) return [];
  for (const counted of oldestFirst) {
    const unready = Math.max(0, Math.min(spare, counted.size - counted.ready));
    shrink(counted, unready);
    spare -= unready;
  }

  let replaceable = surviving(newest, newest.size) + sum(old, (c) => surviving(c, sizes.get(c) ?? c.size)) - floor;
  for (const counted of oldestFirst) {
    const by = Math.max(0, Math.min(sizes.get(counted) ?? 0, replaceable));
    shrink(counted, by);
    replaceable -= by;
  }
  return oldestFirst
    .filter((counted) => sizes.get(counted) !== counted.size)
    .map((counted) => ({ set: counted.set, to: sizes.get(counted) ?? counted.size }));
}

export function createdAt(set: Readonly<ReplicaSet>): number {
  return Date.parse(set.metadata.creationTimestamp ?? "") || 0;
}
