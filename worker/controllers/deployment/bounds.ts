import type { Deployment } from "../../kinds/apps/deployment.ts";

const INFINITE = 2 ** 31 - 1;

export const replicasOf = (d: Readonly<Deployment>): number => d.spec.replicas ?? 1;
export const isRolling = (d: Readonly<Deployment>): boolean => d.spec.strategy?.type !== "Recreate";
export const hasDeadline = (d: Readonly<Deployment>): boolean =>
  d.spec.progressDeadlineSeconds !== undefined && d.spec.progressDeadlineSeconds !== INFINITE;
/** Old ReplicaSets to keep. */
export const historyLimit = (d: Readonly<Deployment>): number => {
  const limit = d.spec.revisionHistoryLimit ?? 10;
  return limit === INFINITE ? Number.POSITIVE_INFINITY : limit;
};

function resolve(value: string | number | undefined, total: number, round: (n: number) => number): number {
  if (typeof value === "number") return value;
  return round((Number.parseInt(value ?? "25%", 10) * total) / 100);
}

/**
 * How far a rolling update may go above and below `spec.replicas`, in pods. Surge rounds up, unavailable down; never
 * are both 0, or nothing could ever move.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function bounds(d: Readonly<Deployment>): { surge: number; unavailable: number } {
  const replicas = replicasOf(d);
  if (!isRolling(d)) return { surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = d.spec.strategy?.rollingUpdate ?? {};
  const surge = resolve(maxSurge, replicas, Math.ceil);
  const unavailable = resolve(maxUnavailable, replicas, Math.floor);
  return { surge, unavailable: Math.min(replicas, surge === 0 && unavailable === 0 ? 1 : unavailable) };
}

/** Pods that must stay available while a rollout goes on. */
export const minAvailable = (d: Readonly<Deployment>): number => replicasOf(d) - bounds(d).unavailable;
/** Pods that may exist at once. */
export const maxTotal = (d: Readonly<Deployment>): number => replicasOf(d) + bounds(d).surge;
