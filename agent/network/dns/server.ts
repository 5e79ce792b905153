import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type AnswerContext, answer } from "./answer.ts";
import { framed } from "./upstream.ts";

const DNS_PORT = 53;
const TCP_IDLE_MS = 10_000;
const MAX_TCP_CLIENTS = 256;

/** Cluster DNS over UDP and TCP, on the node's gateway address. */
export class DnsServer {
  readonly #context: AnswerContext;
  readonly #clients = new Set<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  /** Listens on port 53, or on any other where that is taken, and returns the port. */
  async listen(address: string): Promise<number> {
    try {
      return await this.#listen(address, DNS_PORT);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      return await this.#listen(address, 0);
    }
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const client of this.#clients) client.destroy();
    if (this.#tcp) this.#tcp.close(() => resolve());
    else resolve();
    this.#udp?.close();
    this.#udp = undefined;
    this.#tcp = undefined;
    await promise;
  }

  async #listen(address: string, wanted: number): Promise<number> {
    const tcp = createServer((client) => this.#serve(client));
    tcp.maxConnections = MAX_TCP_CLIENTS;
    await started(tcp, () => tcp.listen(wanted, address));
    const port = (tcp.address() as { port: number }).port;
    const udp = createSocket("udp4");
    try {
      await started(udp, () => udp.bind(port, address));
    } catch (error) {
      tcp.close();
      throw error;
    }
    udp.on("error", () => {}); // a client that went away; the next message is none the worse
    udp.on("message", async (query, { address: client, port: clientPort }) => {
      const reply = await answer(query, "udp", this.#context);
      if (reply && this.#udp === udp) udp.send(reply, clientPort, client);
    });
    this.#tcp = tcp;
    this.#udp = udp;
    return port;
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    let received = Buffer.alloc(0);
    client.setTimeout(TCP_IDLE_MS, () => client.destroy());
    client.on("error", () => client.destroy());
    client.on("close", () => this.#clients.delete(client));
    client.on("data", async (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const query = received.subarray(2, end);
        received = received.subarray(end);
        const reply = await answer(query, "tcp", this.#context);
        if (!reply) return client.destroy();
        if (!client.destroyed) client.write(framed(reply));
      }
    });
  }
}

function started(server: Server | UdpSocket, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    start();
  });
}
