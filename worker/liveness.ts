/** Turns the life of control sockets into the nodes' Ready conditions. */
import type { Engine } from "./api/engine/engine.ts";
import type { Controller } from "./controllers/controller.ts";
import { Node } from "./kinds/core/node.ts";
import { GRACE_MS, type Liveness, withLiveness } from "./link/readiness.ts";

/** Writes what a connected node said of itself. */
export function settleLiveness(engine: Engine, name: string, liveness: Liveness, now: number): void {
  const node = engine.view.get(Node, "", name);
  const moved = node && withLiveness(node, liveness, now);
  if (moved) engine.applyIntent({ do: "updateStatus", kind: Node, object: moved }, "node-connection");
}

/**
 * Runs when a node's socket has gone; a node that is still away after the grace time is lost. Keys are node names.
 * `away` has the times (ms) since when nodes were not heard of, where they are known.
 */
export function connectionController(connected: (node: string) => boolean, away: Map<string, number>): Controller {
  return {
    name: "node-connection",
    watches: [],
    reconcile(view, name, { now }) {
      const node = view.get(Node, "", name);
      if (!node || connected(name)) {
        away.delete(name);
        return [];
      }
      const since = away.get(name) ?? now;
      away.set(name, since);
      if (now - since < GRACE_MS) return [{ do: "again", afterMs: since + GRACE_MS - now }];
      const moved = withLiveness(node, { state: "lost" }, now);
      return moved ? [{ do: "updateStatus", kind: Node, object: moved }] : [];
    },
  };
}
