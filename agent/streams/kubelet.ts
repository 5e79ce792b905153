/** What `nodes/NAME/proxy` answers for the node itself: the part of a kubelet's HTTP API that Skerry has. */
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";

export type NodeFacts = { pods(): readonly CoreV1Pod[] };
export type NodeAnswer = { status: number; type: string; text: string };

const PATHS: Readonly<Record<string, (node: NodeFacts) => Omit<NodeAnswer, "status">>> = {
  "/healthz": () => ({ type: "text/plain; charset=utf-8", text: "ok" }),
  "/pods": (node) => ({
    type: "application/json",
    text: JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items: node.pods() }),
  }),
};

/** `path` may have a query, which nothing here heeds. */
export function answerForNode(node: NodeFacts, path: string): NodeAnswer {
  const answer = PATHS[path.replace(/\?.*$/s, "").replace(/(.)\/$/, "$1")];
  if (!answer) return { status: 404, type: "text/plain; charset=utf-8", text: "404 page not found\n" };
  return { status: 200, ...answer(node) };
}
