/** The platform's hibernating WebSockets, as the link and the watchers see them: all state is in the attachment. */
import type { WatchSpec } from "./api/request.ts";
import type { NodeSocket, Session } from "./link/link.ts";
import type { WatchSocket } from "./watchers.ts";

export type Attachment = { type: "node"; session: Session; openedAt: number } | { type: "watch"; spec: WatchSpec };

export const isOpen = (socket: WebSocket) => socket.readyState === WebSocket.OPEN;
export const attachment = (socket: WebSocket) => socket.deserializeAttachment() as Attachment;

/** One wrapper a socket, so that they can be told apart. */
function once<T extends object>(make: (socket: WebSocket) => T): (socket: WebSocket) => T {
  const made = new WeakMap<WebSocket, T>();
  return (socket) => {
    const known = made.get(socket) ?? make(socket);
    made.set(socket, known);
    return known;
  };
}

export const nodeSocket = once<NodeSocket>((socket) => {
  const state = () => attachment(socket) as Extract<Attachment, { type: "node" }>;
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    session: () => state().session,
    remember: (session) => socket.serializeAttachment({ ...state(), session } satisfies Attachment),
  };
});

export const watchSocket = once<WatchSocket>((socket) => {
  let spec: WatchSpec | undefined;
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    spec: () => (spec ??= (attachment(socket) as Extract<Attachment, { type: "watch" }>).spec),
    remember: (changed) => {
      spec = changed;
      socket.serializeAttachment({ type: "watch", spec } satisfies Attachment);
    },
  };
});
