import type { LinkSocket } from "../../../agent/link-socket.ts";
import type { Socket } from "../contract.ts";
import type { Life, NodeTime } from "./time.ts";

/** As `ws` waits for the other end's part of opening and closing. */
const HANDSHAKE_MS = 10_000;
const CLOSING_MS = 30_000;
/** A connection that ended without a close frame, RFC 6455. */
const ABNORMAL = 1006;

/** A simulated WebSocket in the hands of an agent: nothing reaches one that has died, and nothing before a freeze ends. */
export function linkSocket(socket: Socket, agent: Life, time: NodeTime): LinkSocket {
  const { effects } = agent;
  let closed = false;
  let onClose = (_code: number, _reason: string) => {};
  const waiting: (() => void)[] = [];
  const drain = () => {
    while (waiting.length > 0) {
      if (time.frozenFor() > 0) return void effects.after(0, drain);
      waiting.shift()?.();
    }
  };
  const deliver = (body: () => void) => {
    if (agent.ended || closed) return;
    waiting.push(body);
    if (waiting.length === 1) drain();
  };
  const end = (code: number, reason: string) => {
    if (closed) return;
    closed = true;
    cancelHandshake();
    onClose(code, reason);
  };
  const terminate = () => {
    if (closed) return;
    socket.close(ABNORMAL, "");
    effects.after(0, () => end(ABNORMAL, ""));
  };
  const cancelHandshake = effects.after(HANDSHAKE_MS, terminate);
  socket.onClose((code, reason) => deliver(() => end(code, reason)));
  return {
    send(text) {
      if (!closed) socket.send(text);
    },
    close(code) {
      if (closed) return;
      socket.close(code, "");
      effects.after(CLOSING_MS, () => end(ABNORMAL, ""));
    },
    terminate,
    onOpen: (handler) =>
      socket.onOpen(() =>
        deliver(() => {
          cancelHandshake();
          handler();
        }),
      ),
    onMessage: (handler) => socket.onMessage((text) => deliver(() => !closed && handler(text))),
    onClose: (handler) => {
      onClose = handler;
    },
  };
}
