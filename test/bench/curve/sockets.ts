/** The control sockets of model nodes: they say hello and that they are well, and listen. */
import { effects } from "../../../agent/effects.ts";
import { dialLink, type LinkSocket } from "../../../agent/link-socket.ts";
import { PROTOCOL_VERSION } from "../../../worker/protocol/link.ts";
import { nodeName, tokenOf } from "./fill.ts";
import type { CurvePlane } from "./plane.ts";

const AT_ONCE = 50;
const PING_MS = 10_000;

export class NodeSockets {
  private readonly open = new Set<LinkSocket>();
  private readonly endPings: () => void;
  /** Bytes that the cluster has sent, roughly. */
  received = 0;

  constructor() {
    let cancel = () => {};
    const ping = () => {
      for (const socket of this.open) socket.send("ping");
      cancel = effects.after(PING_MS, ping);
    };
    cancel = effects.after(PING_MS, ping);
    this.endPings = () => cancel();
  }

  /** Connects all nodes as agents that know all up to now; resolves when each has been answered. */
  async connect({ server }: CurvePlane, count: number, revision: number): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < count) await this.connectOne(server, nodeName(next++), revision);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  private connectOne({ url: server, ca }: { url: string; ca: string }, node: string, revision: number): Promise<void> {
    const socket = dialLink({ server, ca, node, token: tokenOf(node) }, () => {});
    return new Promise((resolve, reject) => {
      socket.onOpen(() =>
        socket.send(JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, agent: "model", node, revision })),
      );
      socket.onMessage((text) => {
        this.received += text.length;
        if (this.open.has(socket) || text.startsWith('{"type":"welcome"')) return;
        this.open.add(socket);
        socket.send(JSON.stringify({ type: "health", ready: true, message: "" }));
        resolve();
      });
      socket.onClose((code, reason) => {
        this.open.delete(socket);
        reject(new Error(`${node} was disconnected: ${code} ${reason}`));
      });
    });
  }

  close(): void {
    this.endPings();
    for (const socket of this.open) socket.terminate();
  }
}
