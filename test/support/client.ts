/** A plain HTTPS client that sends what no well-behaved client would, and gives back whatever comes. */
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";

export type Sent = {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
};
export type Got = { status: number; type: string; text: string; headers: IncomingHttpHeaders; warnings: string[] };

const TIMEOUT_MS = 120_000;

export class Client {
  private readonly url: URL;
  private readonly agent: Agent;

  /** `url` may have a path: a cluster among several. */
  constructor(url: string, ca: string) {
    this.url = new URL(url);
    this.agent = new Agent({ keepAlive: true, ca });
  }

  /**
   * Rejects when nothing has come within the time limit: a hang is a failure. A connection that lay idle, and that the
   * server has closed just when it was taken again, is none: the request goes by another, as every client has it.
   */
  send(sent: Sent): Promise<Got> {
    const { method, path, headers = {}, body } = sent;
    const options = {
      hostname: this.url.hostname,
      port: this.url.port,
      path: this.url.pathname.replace(/\/$/, "") + path,
      method,
      agent: this.agent,
      timeout: TIMEOUT_MS,
      headers: { ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }), ...headers },
    };
    return new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers["content-type"] ?? "",
            text: Buffer.concat(chunks).toString(),
            headers: response.headers,
            warnings: response.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === "warning"),
          }),
        );
      });
      call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer in ${TIMEOUT_MS / 1000} s`)));
      call.on("error", (error: NodeJS.ErrnoException) => {
        if (call.reusedSocket && error.code === "ECONNRESET") resolve(this.send(sent));
        else reject(error);
      });
      call.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
