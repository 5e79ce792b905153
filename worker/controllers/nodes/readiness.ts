import { Node } from "../../kinds/core/node.ts";
import { conditionOf } from "../conditions.ts";
import type { Digest, View } from "../controller.ts";

export const readyStatus = (node: Readonly<Node>): string | undefined =>
  conditionOf(node.status?.conditions, "Ready")?.status;

/** The same of every node. */
export const READINESS: Digest<Node, string | undefined> = { kind: Node, of: readyStatus };

/** How bad things are: `full` when no node is ready, `partial` when more nodes went than nodes usually do at once. */
export type Disruption = "none" | "partial" | "full";

const PARTIAL_SHARE = 0.55;
const PARTIAL_NODES = 3;

/**
 * Many nodes lost at once are more likely a failure of our own network than of the nodes: no one is evicted then.
 * https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
 */
export function disruption(view: View): Disruption {
  const nodes = view.digest(READINESS);
  let lost = 0;
  for (const status of nodes.values()) if (status !== "True") lost += 1;
  if (lost > 0 && lost === nodes.size) return "full";
  return lost >= PARTIAL_NODES && lost / nodes.size >= PARTIAL_SHARE ? "partial" : "none";
}
