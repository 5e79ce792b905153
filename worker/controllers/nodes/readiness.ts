import { Node } from "../../kinds/core/node.ts";
import { conditionOf } from "../conditions.ts";
import type { Digest } from "../controller.ts";

export const readyStatus = (node: Readonly<Node>): string | undefined =>
  conditionOf(node.status?.conditions, "Ready")?.status;

/** The same of every node. */
export const READINESS: Digest<Node, string | undefined> = { kind: Node, of: readyStatus };
