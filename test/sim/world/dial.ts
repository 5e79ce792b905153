import type { Socket } from "../contract.ts";
import type { Connection, Place } from "./network.ts";
import type { Answer } from "./object.ts";

/** How long a handshake may take, ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

type Exchange = { exchange(place: Place, request: Request): Promise<Answer | undefined>; clock: Clock };
type Clock = { after(ms: number, body: () => void): () => void };

/** A WebSocket that is being opened; where it is refused or nobody answers, it closes with 1006. */
export function dial(world: Exchange, place: Place, url: string, headers: Record<string, string>): Socket {
  const handlers: { open?(): void; message?(text: string): void; close?(code: number, reason: string): void } = {};
  let connection: Connection | undefined;
  let over = false;
  const end = (code: number, reason: string) => {
    if (over) return;
    over = true;
    handlers.close?.(code, reason);
  };
  const cancel = world.clock.after(HANDSHAKE_TIMEOUT_MS, () => {
    if (!connection) end(1006, "");
  });
  void world.exchange(place, new Request(url, { headers })).then((answer) => {
    cancel();
    if (!answer?.connection) return end(1006, "");
    // Whoever dialed has given up meanwhile.
    if (over) return answer.connection.remote.close(1006, "");
    connection = answer.connection;
    connection.remote.onOpen(() => handlers.open?.());
    connection.remote.onMessage((text) => handlers.message?.(text));
    connection.remote.onClose(end);
    connection.opened(place);
  });
  return {
    send: (text) => connection?.remote.send(text),
    close(code, reason) {
      if (connection) connection.remote.close(code, reason);
      else world.clock.after(0, () => end(1006, ""));
    },
    onOpen: (handler) => {
      handlers.open = handler;
    },
    onMessage: (handler) => {
      handlers.message = handler;
    },
    onClose: (handler) => {
      handlers.close = handler;
    },
  };
}
