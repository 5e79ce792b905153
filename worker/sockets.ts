/** Hibernating WebSockets, as the link and the watchers see them: all state is in the attachment. */
import type { WatchSpec } from "./api/request.ts";
import type { NodeSocket, Session } from "./link/link.ts";
import type { WatchSocket } from "./watchers.ts";

export type Attachment = { type: "node"; session: Session; openedAt: number } | { type: "watch"; spec: WatchSpec };

/** One socket of a client or an agent, as the platform keeps it also while the object sleeps. */
export interface HostSocket {
  /** Goes nowhere once the socket closes: an answer may come when nobody waits for it any more. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
  /** A copy of what was last kept; it outlives the object's memory. */
  attachment(): Attachment;
  keep(attachment: Attachment): void;
  /** When the platform last answered a ping of the other side by itself, ms. */
  answeredAt(): number | undefined;
}

/** When the other side of a node's socket last spoke, ms. */
export function heardAt(socket: HostSocket): number {
  const state = socket.attachment();
  return Math.max(socket.answeredAt() ?? 0, state.type === "node" ? state.openedAt : 0);
}

/** One wrapper a socket, so that they can be told apart. */
export function once<Key extends object, T extends object>(make: (key: Key) => T): (key: Key) => T {
  const made = new WeakMap<Key, T>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}

export const nodeSocket = once<HostSocket, NodeSocket>((socket) => {
  type State = Extract<Attachment, { type: "node" }>;
  let known: State | undefined;
  const state = () => (known ??= socket.attachment() as State);
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    session: () => state().session,
    heard: () => heardAt(socket),
    remember: (session) => {
      known = { ...state(), session };
      socket.keep(known);
    },
  };
});

export const watchSocket = once<HostSocket, WatchSocket>((socket) => {
  let spec: WatchSpec | undefined;
  return {
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    spec: () => (spec ??= (socket.attachment() as Extract<Attachment, { type: "watch" }>).spec),
    remember: (changed) => {
      spec = changed;
      socket.keep({ type: "watch", spec });
    },
  };
});
