/**
 * A node's Ready condition, made from the life of its control socket.
 * https://kubernetes.io/docs/reference/node/node-status/#condition
 */
import { timestamp } from "../lib/effects.ts";
import type { KubeObject } from "../lib/object.ts";

export type Condition = {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
};

/** How long a node may be away before it counts as lost, in ms: kube-controller-manager's node-monitor-grace-period. */
export const GRACE_MS = 40_000;

export type Liveness = { state: "ready" } | { state: "unhealthy"; message: string } | { state: "lost" };

type NodeShape = KubeObject & { status?: { conditions?: readonly Condition[] } };

function wanted(liveness: Liveness): Pick<Condition, "status" | "reason" | "message"> {
  switch (liveness.state) {
    case "ready":
      return { status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" };
    case "unhealthy":
      return { status: "False", reason: "KubeletNotReady", message: liveness.message };
    case "lost":
      return { status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
  }
}

/** The node with its conditions as `liveness` says, or undefined when they say so already. A lost node's other conditions become Unknown too. */
export function withLiveness<T extends KubeObject>(node: T, liveness: Liveness, now: number): T | undefined {
  const conditions = (node as NodeShape).status?.conditions ?? [];
  const at = timestamp(now);
  const move = (old: Condition | undefined, next: Condition): Condition => ({
    ...next,
    lastHeartbeatTime: at,
    lastTransitionTime: old && old.status === next.status ? old.lastTransitionTime : at,
  });
  const old = conditions.find((c) => c.type === "Ready");
  const ready = wanted(liveness);
  if (old && old.status === ready.status && old.reason === ready.reason && old.message === ready.message)
    return undefined;
  const others = conditions
    .filter((c) => c.type !== "Ready")
    .map((c) => (liveness.state === "lost" ? move(c, { type: c.type, ...wanted(liveness) }) : c));
  return {
    ...node,
    status: { ...(node as NodeShape).status, conditions: [...others, move(old, { type: "Ready", ...ready })] },
  };
}
