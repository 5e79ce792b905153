/** A small HTTPS client for the supervisor and the command line: JSON in, JSON out, an own CA. */
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";

export type Endpoint = { url: string; ca?: string; token?: string };
export type Server = Endpoint & {
  /** This machine's clock may be wrong: see `trust.ts`. */
  anyTime?: boolean;
  /** How it is asked, where not by HTTPS: a simulator has its own. */
  ask?: (method: string, path: string, sending: Sending) => Promise<IncomingMessage>;
};
export type Answer = { code: number; body: Record<string, unknown>; text: string };

const TIMEOUT_MS = 30_000;

/** `node:http` is loaded where it is needed: importing it by name brings all of Node.js' fetch along. */
const requestOf = async ({ protocol }: URL) =>
  protocol === "http:" ? (await import("node:http")).request : httpsRequest;

export type Sending = {
  /** Sent as it is. */
  bytes?: Uint8Array;
  type?: string;
  headers?: Readonly<Record<string, string>>;
  /** Without a word for so long, the server counts as gone. */
  timeoutMs?: number;
};

/** The answer, of which the body is yet to be read. */
export async function open(
  server: Server,
  method: string,
  path: string,
  sending: Sending = {},
): Promise<IncomingMessage> {
  if (server.ask) return server.ask(method, path, sending);
  const { bytes, type = "application/json", headers, timeoutMs = TIMEOUT_MS } = sending;
  const url = new URL(server.url.replace(/\/$/, "") + path);
  const request = await requestOf(url);
  const agent = server.anyTime && server.ca ? (await import("../trust.ts")).agentTrusting(server.ca) : undefined;
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method,
        ca: server.ca,
        agent,
        timeout: timeoutMs,
        headers: {
          accept: "application/json",
          ...headers,
          ...(server.token ? { authorization: `Bearer ${server.token}` } : {}),
          ...(bytes === undefined ? {} : { "content-type": type, "content-length": bytes.byteLength }),
        },
      },
      resolve,
    );
    call.on("timeout", () => call.destroy(new Error(`no answer from ${url.host} in ${timeoutMs / 1000} s`)));
    call.on("error", (error: NodeJS.ErrnoException) => {
      const isOther = url.protocol === "http:" && /^(ECONNRESET|HPE_.*)$/.test(error.code ?? "");
      reject(isOther ? new Error(`${url.host} does not speak http://: does it speak https://?`) : error);
    });
    call.end(bytes);
  });
}

/** Sends a body as it comes. An answer may come before all of it was sent, and ends it. */
export async function upload(
  server: Server,
  method: string,
  path: string,
  body: Readable,
  { type = "application/octet-stream", timeoutMs = TIMEOUT_MS }: Pick<Sending, "type" | "timeoutMs">,
): Promise<Answer> {
  const url = new URL(server.url.replace(/\/$/, "") + path);
  const request = await requestOf(url);
  if (body.errored) throw body.errored;
  return new Promise((resolve, reject) => {
    const headers = {
      accept: "application/json",
      "content-type": type,
      ...(server.token && { authorization: `Bearer ${server.token}` }),
    };
    const call = request(url, { method, ca: server.ca, timeout: timeoutMs, headers }, (response) => {
      read(response).then(resolve, reject);
      response.once("end", () => body.destroy());
    });
    call.on("timeout", () => call.destroy(new Error(`no answer from ${url.host} in ${timeoutMs / 1000} s`)));
    call.on("error", reject);
    body.on("error", (error) => {
      call.destroy(error);
      reject(error);
    });
    body.pipe(call);
  });
}

export async function send(server: Server, method: string, path: string, body?: unknown): Promise<Answer> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return read(await open(server, method, path, { bytes }));
}

/** The whole of an answer. */
export async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return answer(response.statusCode ?? 0, Buffer.concat(chunks).toString());
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
  return checked(method, path, await send(server, method, path, body));
}

/** Like `open`, for what is to be read as it comes: anything other than 200 is an error that says what the server said. */
export async function openChecked(server: Server, method: string, path: string, sending?: Sending) {
  const response = await open(server, method, path, sending);
  if (response.statusCode !== 200) checked(method, path, await read(response));
  return response;
}

/** An answer other than success, in the server's words. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: number;
  readonly path: string;

  constructor(method: string, path: string, { code, body, text }: Answer) {
    super(`${method} ${path}: ${code} ${body.message ?? text.slice(0, 200)}`);
    this.code = code;
    this.path = path;
  }
}

export function checked(method: string, path: string, got: Answer): Answer {
  if (got.code >= 300) throw new HttpError(method, path, got);
  return got;
}
