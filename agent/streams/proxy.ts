/** The API's proxy: one HTTP request to a program that this node reaches, and its answer. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline, Readable } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { createGunzip, createGzip } from "node:zlib";
import { WebSocket } from "ws";
import { sendableCode } from "../../worker/lib/websocket.ts";
import type { ProxyRequest } from "../../worker/protocol/link.ts";
import { type Headers, type ProxyMessage, Window } from "../../worker/protocol/proxy.ts";
import { closeInOrder, sendWithin } from "./channels.ts";
import { answerForNode, type NodeFacts } from "./kubelet.ts";
import { serveHttp2 } from "./proxy-h2.ts";
import { type Around, rewriteUrl } from "./proxy-urls.ts";
import type { ServedProxy } from "./served.ts";
import { serveVolume } from "./volume-data.ts";

export type Ask = Extract<ProxyMessage, { type: "request" }>;

const CONNECT_MS = 30_000;
/** Where others may be asked instead. */
const ONE_OF_MANY_CONNECT_MS = 3_000;
const CLOSE_MS = 1_000;
const BAD_GATEWAY = 502;

/** The socket's first message is the request; it ends when the answer does, or when the client goes away. */
export async function serveProxy({ socket, request, deps }: ServedProxy): Promise<void> {
  const edge = new Edge(socket);
  const ask = await edge.asked();
  if (!ask) return;
  if (request.volume) return serveVolume(edge, ask, request.volume, deps);
  if (request.address === "") return serveNode(edge, ask, deps.node);
  const count = request.counts && deps.counts?.begin(request.counts);
  count?.to(request.address);
  if (count) edge.onAnswer = count.answered;
  try {
    await (ask.upgrade ? serveUpgrade(edge, request, ask) : serveRequest(edge, request, ask));
  } finally {
    count?.end();
  }
}

/** The edge's end of the stream. */
export class Edge {
  readonly socket: WebSocket;
  readonly window = new Window();
  /** A `response` was sent: nothing else can be answered any more. */
  isAnswered = false;
  /** Hears by which status; that of a program that cannot be reached is a proxy's. */
  onAnswer: (status: number) => void = () => {};
  private readonly early: [Buffer, boolean][] = [];
  private take = (data: Buffer, isBinary: boolean): void => void this.early.push([data, isBinary]);

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.once("close", () => this.window.open());
    socket.on("message", (data: Buffer, isBinary) => this.take(data, isBinary));
  }

  /** What comes from now on, after what has come already. */
  listen(take: (data: Buffer, isBinary: boolean) => void): void {
    this.take = take;
    for (const [data, isBinary] of this.early.splice(0)) take(data, isBinary);
  }

  send(message: ProxyMessage): Promise<void> {
    if (message.type === "response") this.isAnswered = true;
    if (message.type === "response") this.onAnswer(message.status);
    else if (message.type === "unreachable" && this.socket.readyState === WebSocket.OPEN) this.onAnswer(BAD_GATEWAY);
    return sendWithin(this.socket, JSON.stringify(message));
  }

  /** Undefined when the client has gone already. */
  asked(): Promise<Ask | undefined> {
    const take = this.take;
    return new Promise((resolve) => {
      this.take = (data) => {
        this.take = take;
        resolve(JSON.parse(data.toString()) as Ask);
      };
      this.socket.once("close", () => resolve(undefined));
    });
  }

  async unreachable(error: Error): Promise<void> {
    await this.send({ type: "unreachable", message: error.message });
    await closeInOrder(this.socket);
  }

  async answer({ statusCode = 502, rawHeaders }: IncomingMessage, headers = pairs(rawHeaders)): Promise<void> {
    await this.send({ type: "response", status: statusCode, headers });
  }

  async sendBody(body: Readable): Promise<void> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (this.socket.readyState !== WebSocket.OPEN) return;
      await sendWithin(this.socket, chunk);
      await this.window.sent(chunk.length);
    }
    await this.send({ type: "end" });
    await closeInOrder(this.socket);
  }
}

function pairs(raw: readonly string[]): Headers {
  const headers: Headers = [];
  for (let at = 0; at + 1 < raw.length; at += 2) headers.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return headers;
}

async function serveNode(edge: Edge, { method, path, headers: asked }: Ask, node: NodeFacts): Promise<void> {
  edge.listen((data, isBinary) => {
    const message = isBinary ? undefined : (JSON.parse(data.toString()) as ProxyMessage);
    if (message?.type === "read") edge.window.read(message.bytes);
  });
  const accepted = asked.find(([name]) => name.toLowerCase() === "accept-encoding")?.[1] ?? "";
  const { status, headers, body } = await answerForNode(node, { method, url: path }, accepted);
  edge.socket.once("close", () => body.destroy());
  await edge.send({ type: "response", status, headers });
  await edge.sendBody(method === "HEAD" ? Readable.from([]) : body);
}

const originOf = ({ scheme, address, port }: ProxyRequest) => {
  const host = address.includes(":") ? `[${address}]` : address;
  return { authority: `${host}:${port}`, url: `${scheme === "https" ? scheme : "http"}://${host}:${port}` };
};

/** The name by which the client knows the API. */
const hostOf = ({ headers }: Ask): string => headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";

const forwardedUri = ({ prefix, path, asIs }: Ask): Headers =>
  asIs ? [] : [["x-forwarded-uri", `${prefix}${path.split("?")[0]}`]];

function serveRequest(edge: Edge, request: ProxyRequest, ask: Ask): Promise<void> {
  const timeoutMs = ask.asIs ? ONE_OF_MANY_CONNECT_MS : CONNECT_MS;
  if (request.scheme === "h2c")
    return serveHttp2(edge, request, ask, { timeoutMs, dialError: (error) => dialError(error, request) });
  const open = request.scheme === "https" ? httpsRequest : httpRequest;
  const host: Headers = hostOf(ask) === "" ? [["host", originOf(request).authority]] : [];
  const headers: Headers = [...host, ...ask.headers, ...framing(ask), ...forwardedUri(ask)];
  const sent = open({
    host: request.address,
    port: request.port,
    method: ask.method,
    path: ask.path,
    headers: headers.flat(),
    agent: false,
    ...trust(request),
    timeout: timeoutMs,
  });
  sent.once("socket", (socket) => socket.once("connect", () => socket.setTimeout(0)));
  sent.once("timeout", () => sent.destroy(new Error(`dial tcp ${originOf(request).authority}: i/o timeout`)));
  edge.socket.once("close", () => sent.destroy());
  edge.listen((data, isBinary) => {
    if (isBinary) return void sent.write(data, () => void edge.send({ type: "read", bytes: data.length }));
    const message = JSON.parse(data.toString()) as ProxyMessage;
    if (message.type === "read") edge.window.read(message.bytes);
    if (message.type === "end") sent.end();
  });
  if (!ask.hasBody) sent.end();
  return new Promise((resolve) => {
    sent.once("response", (response) => {
      void passOn(edge, request, ask, response).then(resolve, () => {
        edge.socket.close(1011, "the program's answer broke off");
        resolve();
      });
    });
    sent.on("error", (error) => {
      void edge.unreachable(dialError(error, request)).then(resolve, () => resolve());
    });
  });
}

/** A body always says where it ends. Node.js sends that of a DELETE bare, and a program could take it for a request. */
const framing = ({ headers, hasBody }: Ask): Headers =>
  hasBody && !headers.some(([name]) => name.toLowerCase() === "content-length")
    ? [["transfer-encoding", "chunked"]]
    : [];

function trust({ tls }: ProxyRequest): ConnectionOptions {
  // As kube-apiserver: who asked for https trusts the cluster's network, not a certificate of a pod.
  if (!tls) return { rejectUnauthorized: false };
  const { ca, serverName, insecure = false, client } = tls;
  return {
    ca: ca || undefined,
    servername: serverName,
    rejectUnauthorized: !insecure,
    ...(client && { cert: client.certificate, key: client.key }),
  };
}

/** In the words of Go's net package. Who hears that nothing was sent may send it to another: of a connection it is not said. */
function dialError(error: NodeJS.ErrnoException, request: ProxyRequest): Error {
  const { authority } = originOf(request);
  if (error.syscall !== "connect") return error.code === "ECONNRESET" ? new Error("EOF") : broken(error);
  if (error.code === "ECONNREFUSED") return new Error(`dial tcp ${authority}: connect: connection refused`);
  if (error.code === "EHOSTUNREACH") return new Error(`dial tcp ${authority}: connect: no route to host`);
  return error;
}

const broken = ({ code = "", message }: NodeJS.ErrnoException): Error =>
  new Error(/^E(CONNREFUSED|HOSTUNREACH)$/.test(code) ? "the connection broke" : message);

async function passOn(edge: Edge, request: ProxyRequest, ask: Ask, response: IncomingMessage): Promise<void> {
  if (ask.asIs) {
    await edge.answer(response);
    return edge.sendBody(response);
  }
  const around = { prefix: ask.prefix, hosts: [originOf(request).authority, hostOf(ask)] };
  const headers = pairs(response.rawHeaders).map(([name, value]): [string, string] => [
    name,
    name.toLowerCase() === "location" ? rewriteUrl(value, around) : value,
  ]);
  const page = response.headers.location ? undefined : await htmlOf(response, around);
  const isLength = ([name]: [string, string]) => name.toLowerCase() === "content-length";
  await edge.answer(response, page ? headers.filter((header) => !isLength(header)) : headers);
  await edge.sendBody(page ?? response);
}

/** The body with its URLs as the client sees them, where it is a page that can be read. */
async function htmlOf(response: IncomingMessage, around: Around): Promise<Readable | undefined> {
  const [type = "", charset = ""] = (response.headers["content-type"] ?? "")
    .toLowerCase()
    .replaceAll(" ", "")
    .split(";charset=");
  const isPage = type.trim() === "text/html" && ["", "utf-8", '"utf-8"'].includes(charset.trim());
  const encoding = response.headers["content-encoding"] ?? "";
  if (!isPage || !["", "gzip"].includes(encoding)) return undefined;
  const { rewriteHtml } = await import("./proxy-html.ts");
  const plain = encoding === "gzip" ? pipeline(response, createGunzip(), () => {}) : response;
  const page = Readable.from(rewriteHtml(plain, (url) => rewriteUrl(url, around)));
  return encoding === "gzip" ? pipeline(page, createGzip(), () => {}) : page;
}

/** Opens a WebSocket to the program and joins it to the client's. */
function serveUpgrade(edge: Edge, request: ProxyRequest, ask: Ask): Promise<void> {
  const url = `${originOf(request).url.replace(/^http/, "ws")}${ask.path}`;
  const headers: Record<string, string[]> = {};
  for (const [name, value] of [...forwardedUri(ask), ...ask.headers]) headers[name] = [...(headers[name] ?? []), value];
  const timeouts = { handshakeTimeout: CONNECT_MS, closeTimeout: CLOSE_MS };
  const options = { headers, ...trust(request), perMessageDeflate: false, ...timeouts };
  const program = new WebSocket(url, ask.upgrade ?? [], options);
  return new Promise((resolve) => {
    program.once("open", () => {
      const chosen: Headers = program.protocol ? [["sec-websocket-protocol", program.protocol]] : [];
      void edge.send({ type: "response", status: 101, headers: chosen });
      program.on("message", (data: Buffer, isBinary) => copy(data, isBinary, program, edge.socket));
      edge.listen((data, isBinary) => copy(data, isBinary, edge.socket, program));
      endTogether(program, edge.socket);
      endTogether(edge.socket, program);
    });
    program.once("unexpected-response", (sent, response) => {
      void edge
        .answer(response)
        .then(() => edge.sendBody(response))
        .finally(() => sent.destroy())
        .then(resolve, () => resolve());
    });
    program.on("error", (error) => {
      if (program.readyState === WebSocket.OPEN) return;
      void edge.unreachable(dialError(error, request)).then(resolve, () => resolve());
    });
    edge.socket.once("close", () => {
      if (program.readyState === WebSocket.CONNECTING) program.terminate();
      resolve();
    });
  });
}

function copy(data: Buffer, isBinary: boolean, from: WebSocket, to: WebSocket): void {
  if (to.readyState !== WebSocket.OPEN) return;
  from.pause();
  to.send(data, { binary: isBinary }, () => from.resume());
}

function endTogether(from: WebSocket, to: WebSocket): void {
  from.once("close", (code, reason) => {
    const sendable = sendableCode(code);
    if (to.readyState === WebSocket.OPEN) to.close(sendable, reason);
  });
}
