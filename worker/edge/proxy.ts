/**
 * The API's proxy to programs in the cluster. The Cluster object says whether and where to; the request and its answer
 * then go through the node's Relay, in the messages of `protocol/proxy.ts`.
 */
import type { StreamGrant } from "../api/http/streams.ts";
import { GRANT_HEADER, INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { ApiError } from "../lib/status.ts";
import { asksForSocket, PROTOCOL_TOKEN, sendableCode } from "../lib/websocket.ts";
import {
  type Headers as HeaderList,
  HOP_BY_HOP,
  NODE_DID_NOT_COME,
  OTHER_SIDE_DID_NOT_COME,
  type OwnRequest,
  type ProxyMessage,
  Window,
} from "../protocol/proxy.ts";
import { askRelay, dialRelay, type Relays } from "./relay-socket.ts";

const PROXY_PATH = /^(\/api\/v1\/(?:nodes|namespaces\/[^/]+\/(?:pods|services))\/[^/]+\/proxy)(\/.*)?$/;
const NO_BODY = new Set([101, 204, 205, 304]);
/** Of the client's credentials nothing goes on, nor what the way here has added. */
const PRIVATE = /^(authorization|impersonate-.*|x-skerry-.*|cf-.*|sec-websocket-.*)$/;
/** A program has no say in what other sites may do with the API. */
const CORS = /^access-control-allow-(credentials|headers|methods|origin)$/;

export const isProxy = (path: string): boolean => PROXY_PATH.test(path);

/** `outside` is the path by which the client asked; `request` has it as the cluster knows it. */
export async function openProxy(
  request: Request,
  outside: string,
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
): Promise<Response> {
  const url = new URL(request.url);
  const [, , rest = ""] = PROXY_PATH.exec(url.pathname) ?? [];
  const headers = new Headers(request.headers);
  for (const name of ["upgrade", "connection", "content-length", "transfer-encoding"]) headers.delete(name);
  const isUpgrade = asksForSocket(request);
  const isRedirect = rest === "" && !isUpgrade && (request.method === "GET" || request.method === "HEAD");
  headers.set(INTERNAL_HEADER, isRedirect ? "stream-check" : "stream");
  // The answer to a HEAD could carry no grant; for who may ask they are the same.
  const method = request.method === "HEAD" ? "GET" : request.method;
  const answer = await cluster.fetch(new Request(request.url, { method, headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  const grant = (await answer.json()) as StreamGrant;
  if (isRedirect) return new Response(null, { status: 301, headers: { location: `${outside}/${url.search}` } });
  const socket = await dialRelay(relays, clusterName, grant);
  const ask = {
    method: request.method,
    path: (rest || "/") + url.search,
    headers: forwarded(request.headers),
    prefix: rest ? outside.slice(0, -rest.length) : outside,
    ...(isUpgrade && { upgrade: protocolsWithoutToken(request.headers) }),
  };
  return sandboxed(request, await exchange(socket, ask, isUpgrade ? null : request.body));
}

const SANDBOX = "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads";

/**
 * What programs in the cluster show has the API's address. It is kept from what the API's own page has in a browser, but
 * where the client said a bearer token, which none does by itself; what a browser says after a 401 is no such token.
 */
export function sandboxed({ headers }: Request, answer: Response): Response {
  const isProgram = /^\s*bearer\s/i.test(headers.get("authorization") ?? "");
  if (!isProgram && !answer.webSocket) answer.headers.append("content-security-policy", SANDBOX);
  return answer;
}

export type Ask = Omit<Extract<ProxyMessage, { type: "request" }>, "type" | "hasBody">;

export type ExchangeOptions = {
  /** The answer where the program cannot be reached; a 503 of the API's when absent. */
  unavailable?(message: string): Response;
  /** The program may say what other sites may do with it. */
  keepsAll?: boolean;
};

/** One request over a granted stream. */
export function exchange(
  socket: WebSocket,
  ask: Ask,
  body: ReadableStream<Uint8Array> | null,
  options: ExchangeOptions = {},
): Promise<Response> {
  const exchange = new Exchange(socket, options);
  exchange.send({ type: "request", ...ask, hasBody: body !== null });
  if (body) void exchange.sendBody(body);
  return exchange.answer(ask.method);
}

/** A client's request as it is, but for its path and headers. */
export const askAsIs = (request: Request, path: string, headers: HeaderList): Ask => ({
  method: request.method,
  path,
  headers,
  prefix: "",
  asIs: true,
  ...(asksForSocket(request) && { upgrade: protocolsOf(request.headers) }),
});

/** A client's request to a program, with these headers, and the answer, both as they are. */
export async function passOn(
  relays: Relays,
  clusterName: string,
  grant: StreamGrant,
  request: Request,
  headers: HeaderList,
  unavailable: (why: string) => Response,
): Promise<Response> {
  const { webSocket } = await askRelay(relays, clusterName, grant);
  if (!webSocket) return unavailable(NODE_DID_NOT_COME);
  const { pathname, search } = new URL(request.url);
  const ask = askAsIs(request, pathname + search, headers);
  return exchange(webSocket, ask, ask.upgrade ? null : request.body, { keepsAll: true, unavailable });
}

const encoder = new TextEncoder();

/** A request of the cluster's own, over a granted stream. */
export async function askOver(socket: WebSocket, ask: OwnRequest): Promise<Response> {
  const { method, path, headers, body, signal } = ask;
  if (signal.aborted) {
    // The node came too late: nobody waits for an answer, so nothing may be asked.
    socket.accept();
    socket.close(1000);
    throw signal.reason;
  }
  signal.addEventListener("abort", () => socket.close(1000));
  if (body === undefined) return exchange(socket, { method, path, headers, prefix: "" }, null);
  const bytes = encoder.encode(body);
  const whole: HeaderList = [...headers, ["content-length", String(bytes.length)]];
  return exchange(socket, { method, path, headers: whole, prefix: "" }, new Response(bytes).body);
}

const protocolsOf = (headers: Headers): string[] =>
  (headers.get("sec-websocket-protocol") ?? "").split(",").flatMap((name) => name.trim() || []);

/** A browser's token is for the API, not for the program. */
export const protocolsWithoutToken = (headers: Headers): string[] =>
  protocolsOf(headers).filter((protocol) => !protocol.startsWith(PROTOCOL_TOKEN));

export const forwarded = (headers: Headers): HeaderList =>
  [...headers].filter(([name]) => !HOP_BY_HOP.has(name) && !PRIVATE.test(name));

/** One request on its socket, and what comes back. */
class Exchange {
  private readonly socket: WebSocket;
  private readonly options: ExchangeOptions;
  private readonly window = new Window();
  private over = false;

  constructor(socket: WebSocket, options: ExchangeOptions) {
    this.socket = socket;
    this.options = options;
    socket.binaryType = "arraybuffer";
    socket.accept();
  }

  send(message: ProxyMessage): void {
    if (!this.over) this.socket.send(JSON.stringify(message));
  }

  close(): void {
    this.over = true;
    this.window.open();
    this.socket.close(1000);
  }

  async sendBody(body: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        if (this.over) return;
        this.socket.send(chunk);
        await this.window.sent(chunk.byteLength);
      }
      this.send({ type: "end" });
    } catch {
      this.close(); // the client went away in the middle
    }
  }

  /** Resolves with what the program answers; the body, or the upgraded socket, goes on from there. */
  answer(method: string): Promise<Response> {
    return new Promise((resolve) => {
      const { unavailable: refuse = unavailable, keepsAll = false } = this.options;
      const lost = (why: string) => resolve(refuse(why));
      let body: ReadableStreamDefaultController<Uint8Array> | undefined;
      const ended = (reason?: string) => {
        this.over = true;
        this.window.open();
        lost(reason === OTHER_SIDE_DID_NOT_COME ? NODE_DID_NOT_COME : "the node did not answer");
        end(body, reason);
        body = undefined;
      };
      const listen = new AbortController();
      const on = { signal: listen.signal } as const;
      this.socket.addEventListener(
        "message",
        ({ data }) => {
          if (typeof data !== "string") return push(body, new Uint8Array(data), () => this.close());
          const message = JSON.parse(data) as ProxyMessage;
          if (message.type === "read") this.window.read(message.bytes);
          else if (message.type === "unreachable") lost(`error trying to reach service: ${message.message}`);
          else if (message.type === "end") {
            end(body);
            body = undefined;
            this.close();
          } else if (message.type === "response" && message.status === 101) {
            listen.abort();
            resolve(upgraded(this.socket, answerHeaders(message.headers, keepsAll)));
          } else if (message.type === "response") {
            const headers = answerHeaders(message.headers, keepsAll);
            const hasBody = method !== "HEAD" && !NO_BODY.has(message.status);
            const stream = hasBody ? this.body((controller) => (body = controller)) : null;
            resolve(new Response(stream, { status: message.status, headers, encodeBody: "manual" }));
          }
        },
        on,
      );
      this.socket.addEventListener("close", ({ code, reason }) => ended(code === 1000 ? undefined : reason), on);
      this.socket.addEventListener("error", () => ended("connection lost"), on);
    });
  }

  /** Tells the agent what the client has taken, chunk by chunk. */
  private body(start: (controller: ReadableStreamDefaultController<Uint8Array>) => void): ReadableStream<Uint8Array> {
    const taken = new TransformStream<Uint8Array, Uint8Array>(
      {
        transform: (chunk, controller) => {
          controller.enqueue(chunk);
          this.send({ type: "read", bytes: chunk.byteLength });
        },
      },
      undefined,
      { highWaterMark: 0 },
    );
    const received = new ReadableStream<Uint8Array>({ start, cancel: () => this.close() });
    void received.pipeTo(taken.writable).catch(() => this.close());
    return taken.readable;
  }
}

type Controller = ReadableStreamDefaultController<Uint8Array> | undefined;

function push(body: Controller, chunk: Uint8Array, gone: () => void): void {
  try {
    body?.enqueue(chunk);
  } catch {
    gone();
  }
}

function end(body: Controller, reason?: string): void {
  try {
    if (reason) body?.error(new Error(reason));
    else body?.close();
  } catch {
    // already closed or cancelled by the client
  }
}

function answerHeaders(list: HeaderList, keepsAll: boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of list)
    if (!HOP_BY_HOP.has(name.toLowerCase()) && (keepsAll || !CORS.test(name.toLowerCase())))
      headers.append(name, value);
  return headers;
}

const unavailable = (message: string): Response =>
  Response.json(new ApiError(503, "ServiceUnavailable", message).status(), { status: 503 });

/** A socket of the client's own, joined to the one on which the agent's answer came. */
function upgraded(agent: WebSocket, headers: Headers): Response {
  const { 0: near, 1: far } = new WebSocketPair();
  far.binaryType = "arraybuffer";
  far.accept();
  join(agent, far);
  join(far, agent);
  return new Response(null, { status: 101, webSocket: near, headers });
}

function join(from: WebSocket, to: WebSocket): void {
  from.addEventListener("message", ({ data }) => to.readyState === WebSocket.OPEN && to.send(data));
  from.addEventListener("close", ({ code, reason }) => {
    if (to.readyState === WebSocket.OPEN) to.close(sendableCode(code), reason);
  });
  from.addEventListener("error", () => to.readyState === WebSocket.OPEN && to.close(1011, "connection lost"));
}
