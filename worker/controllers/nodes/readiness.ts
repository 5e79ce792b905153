import { Node } from "../../kinds/core/node.ts";
import { conditionOf } from "../conditions.ts";
import type { Digest, View } from "../controller.ts";

export const readyStatus = (node: Readonly<Node>): string | undefined =>
  conditionOf(node.status?.conditions, "Ready")?.status;

/** The same of every node. */
export const READINESS: Digest<Node, string | undefined> = { kind: Node, of: readyStatus };

/** Whether a write made a node ready. */
export const becameReady = (node: Readonly<Node>, old: Readonly<Node> | undefined): boolean =>
  readyStatus(node) === "True" && (!old || readyStatus(old) !== "True");

/** Whether all nodes that are ready are among these. */
export function areAllReadyIn(nodes: ReadonlySet<string>, view: View): boolean {
  for (const [key, status] of view.digest(READINESS)) if (status === "True" && !nodes.has(key.slice(1))) return false;
  return true;
}

/** Whether there is anybody to ask. */
export function isAnyReady(view: View): boolean {
  for (const status of view.digest(READINESS).values()) if (status === "True") return true;
  return false;
}
