/** A small HTTPS client for the supervisor and the command line: JSON in, JSON out, an own CA. */
import { request as httpsRequest } from "node:https";

export type Server = { url: string; ca?: string; token?: string };
export type Answer = { code: number; body: Record<string, unknown>; text: string };

const TIMEOUT_MS = 30_000;

/** `node:http` is loaded where it is needed: importing it by name brings all of Node.js' fetch along. */
const requestOf = async ({ protocol }: URL) =>
  protocol === "http:" ? (await import("node:http")).request : httpsRequest;

export async function send(server: Server, method: string, path: string, body?: unknown): Promise<Answer> {
  const url = new URL(server.url.replace(/\/$/, "") + path);
  const request = await requestOf(url);
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method,
        ca: server.ca,
        timeout: TIMEOUT_MS,
        headers: {
          accept: "application/json",
          ...(server.token ? { authorization: `Bearer ${server.token}` } : {}),
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve(answer(response.statusCode ?? 0, Buffer.concat(chunks).toString())));
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer from ${url.host} in ${TIMEOUT_MS / 1000} s`)));
    call.on("error", reject);
    call.end(text);
  });
}

function answer(code: number, text: string): Answer {
  try {
    const body: unknown = JSON.parse(text);
    return { code, text, body: typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {} };
  } catch {
    return { code, text, body: {} };
  }
}

/** Like `send`, but anything other than success is an error that says what the server said. */
export async function sendChecked(server: Server, method: string, path: string, body?: unknown): Promise<Answer> {
  const got = await send(server, method, path, body);
  if (got.code >= 300) throw new Error(`${method} ${path}: ${got.code} ${got.body.message ?? got.text.slice(0, 200)}`);
  return got;
}
