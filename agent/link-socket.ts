import { WebSocket } from "ws";
import { CloseCode } from "../worker/protocol/link.ts";
import { agentTrusting } from "./trust.ts";

/** One WebSocket as the control link uses it. Handlers are set at once after it was made; `onClose` is called once. */
export interface LinkSocket {
  send(text: string): void;
  close(code: number): void;
  /** Ends it here and now, whether or not the other end hears of it. */
  terminate(): void;
  onOpen(handler: () => void): void;
  onMessage(handler: (text: string) => void): void;
  onClose(handler: (code: number, reason: string) => void): void;
}

export type LinkAddress = {
  /** `https://HOST/clusters/NAME` */
  server: string;
  node: string;
  token: string;
  /** PEM of the CA that signed the server's certificate; the system's trust when absent. */
  ca?: string;
};

const HANDSHAKE_MS = 10_000;
/** How `ws` tells of a handshake that was refused for its credential. */
const REFUSED = /server response: (401|403)$/;

/** Dials the cluster's control socket for a node. */
export function dialLink({ server, node, token, ca }: LinkAddress, log: (message: string) => void): LinkSocket {
  const url = `${server.replace(/^http/, "ws")}/link/${encodeURIComponent(node)}`;
  const headers = { authorization: `Bearer ${token}` };
  // Compression takes more of both ends, in time and memory, than it saves on messages of a few kilobytes.
  const agent = url.startsWith("wss:") ? { agent: agentTrusting(ca) } : {};
  const options = { headers, ...agent, handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false };
  const socket = new WebSocket(url, options);
  let refused = "";
  socket.on("error", (error) => {
    log(`control socket: ${error.message}`);
    refused = REFUSED.exec(error.message)?.[1] ?? "";
  });
  return {
    send: (text) => socket.send(text),
    close: (code) => socket.close(code),
    terminate: () => socket.terminate(),
    onOpen: (handler) => void socket.on("open", handler),
    onMessage: (handler) => void socket.on("message", (data) => handler(data.toString())),
    onClose: (handler) =>
      void socket.on("close", (code, reason) =>
        refused ? handler(CloseCode.unauthorized, `HTTP ${refused}`) : handler(code, reason.toString()),
      ),
  };
}
