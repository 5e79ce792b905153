/**
 * Turns the life of control sockets into the nodes' Ready conditions, without anyone awake.
 *
 * A socket that closes wakes the object, which writes down when the node will count as lost. One that falls silent (power
 * cut, cable pulled) wakes no one: the platform answers pings by itself and tells only when asked, so someone must ask.
 * That costs nothing where it is done on the way, by every request; and it matters only where there is another node
 * for the pods to go to, so the agents of the others take turns as watchmen (`agent/watchman.ts`). Their word reads and
 * writes no row; an alarm would write one each time.
 */
import type { Controller } from "./controllers/controller.ts";
import { Node } from "./kinds/core/node.ts";
import { type Liveness, withLiveness } from "./link/readiness.ts";
import type { HostSocket } from "./sockets.ts";
import type { WorkQueue } from "./storage/store.ts";

/** Without a word for so long, a socket is taken for dead, in ms: by then an agent that lives has given it up as well. */
const SILENCE_MS = 25_000;
/** The name under which the work queue keeps when a node counts as lost. */
const CONNECTION = "node-connection";
export const HEALTH = "node-health";

/** Agents ping as soon as they are connected, so a socket of which no ping is known is new, or nothing counts them. */
export function isSilent(socket: HostSocket, now: number): boolean {
  const answered = socket.answeredAt();
  return answered !== undefined && now - answered > SILENCE_MS;
}

/** When nodes whose sockets have gone count as lost, and which are well again, until it is written down. */
export class Losses {
  /** ms, by node. */
  readonly #losing = new Map<string, number>();
  readonly #found = new Set<string>();

  /** Of two times the sooner counts. */
  lose(node: string, due: number): void {
    this.#found.delete(node);
    this.#losing.set(node, Math.min(due, this.#losing.get(node) ?? due));
  }

  find(node: string): void {
    this.#found.add(node);
  }

  /** Kept in rows, since the object may lose its memory meanwhile. */
  persist(work: Pick<WorkQueue, "enqueue" | "done">, connected: (node: string) => boolean): void {
    for (const node of this.#found) work.done(CONNECTION, node);
    this.#found.clear();
    for (const [node, due] of this.#losing)
      if (!connected(node)) work.enqueue({ controller: CONNECTION, key: node, due });
    this.#losing.clear();
  }
}

/** Makes a connected node's condition what the node last said of itself, whoever wrote something else. Keys are node names. */
export function healthController(said: (node: string) => Liveness | undefined): Controller {
  return {
    name: HEALTH,
    watches: [{ kind: Node, keys: ({ metadata }) => [metadata?.name ?? ""] }],
    reconcile(view, name, { now }) {
      const health = said(name);
      const node = health && view.get(Node, "", name);
      const moved = node && withLiveness(node, health, now);
      return moved ? [{ do: "updateStatus", kind: Node, object: moved }] : [];
    },
  };
}

/** Runs when a node has been without a socket for the grace time. Keys are node names. */
export function connectionController(connected: (node: string) => boolean): Controller {
  return {
    name: CONNECTION,
    watches: [],
    reconcile(view, name, { now }) {
      const node = view.get(Node, "", name);
      const moved = node && !connected(name) && withLiveness(node, { state: "lost" }, now);
      return moved ? [{ do: "updateStatus", kind: Node, object: moved }] : [];
    },
  };
}
