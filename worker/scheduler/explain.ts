import type { Refusal } from "./framework.ts";

const NO_VICTIMS = "No preemption victims found for incoming pod";
const NO_HELP = "Preemption is not helpful for scheduling";
/** Before preemption kube-scheduler tries to take ResourceClaims back, of which a pod without any has none. */
const NO_CLAIMS = "no new claims to deallocate";

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s).` */
function summary(nodes: number, reasons: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const list = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${list.join(", ")}.`;
}

/** What came of looking for pods of less priority: found some, not looked because, or none that would help. */
export type Preempted = "found" | { ineligible: string } | "none";

/** The message of a pod that fits nowhere, as `kubectl describe` shows it. */
export function explain(refusals: readonly Refusal[], preempted: Preempted): string {
  if (refusals.length === 0) return "no nodes available to schedule pods";
  const nodes = refusals.length;
  const why = summary(
    nodes,
    refusals.flatMap(({ reasons }) => reasons),
  );
  if (preempted === "found") return why;
  if (preempted !== "none") return `${why} ${NO_CLAIMS}, preemption: not eligible due to ${preempted.ineligible}.`;
  return `${why} ${NO_CLAIMS}, preemption: ${summary(
    nodes,
    refusals.map(({ final }) => (final ? NO_HELP : NO_VICTIMS)),
  )}`;
}
