import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type ProxyMessage, WINDOW_BYTES } from "../../worker/protocol/proxy.ts";
import { effects } from "../effects.ts";
import { Counts } from "../ingress/counts.ts";
import { serveProxy } from "./proxy.ts";
import type { StreamDeps } from "./served.ts";

const node = { answer: async ({ url }: { url: string }) => ({ status: 200, headers: { "x-asked": url }, body: "ok" }) };
const counts = new Counts(effects.now);
const deps = { node, counts } as unknown as StreamDeps;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** The edge's end of a socket to the agent: what came, and what to send. */
async function edge(port: number, address = "127.0.0.1", scheme: "http" | "h2c" = "http") {
  const relay = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(relay, "listening");
  const socket = new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}`);
  const [near] = (await once(relay, "connection")) as [WebSocket];
  await once(socket, "open");
  closers.push(() => {
    socket.terminate();
    relay.close();
  });
  const request = { id: "1", kind: "proxy", scheme, address, port, counts: { service: `default/${port}` } } as const;
  void serveProxy({ socket: near, request, deps }).catch(() => near.close(1011));
  const messages: ProxyMessage[] = [];
  const body: Buffer[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) body.push(data);
    else messages.push(JSON.parse(data.toString()));
  });
  const send = (message: Partial<ProxyMessage>) => socket.send(JSON.stringify(message));
  const ask = (extra: object = {}) =>
    send({ type: "request", method: "GET", path: "/", headers: [], prefix: "/p/proxy", hasBody: false, ...extra });
  const over = once(socket, "close");
  const answered = () => messages.find((message) => message.type === "response");
  return { socket, send, ask, over, messages, answered, text: () => Buffer.concat(body).toString(), body };
}

const serving = async (listener: RequestListener) => edge(await listening(createServer(listener)));

test("a request arrives with its method, path, headers and body, and its answer comes back", async () => {
  const { ask, socket, send, over, answered, text } = await serving(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.writeHead(201, { "x-made": "yes", "set-cookie": ["a=1", "b=2"] });
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, body, said: headers["x-said"], uri: headers["x-forwarded-uri"] }));
  });
  ask({ method: "POST", path: "/a%20b/?q=1", headers: [["x-said", "hello"]], hasBody: true });
  socket.send(Buffer.from("one "));
  socket.send(Buffer.from("two"));
  send({ type: "end" });
  await over;
  const { status, headers } = answered() ?? { status: 0, headers: [] };
  expect(status).toBe(201);
  expect(headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual(["a=1", "b=2"]);
  expect(JSON.parse(text())).toEqual({
    method: "POST",
    url: "/a%20b/?q=1",
    body: "one two",
    said: "hello",
    uri: "/p/proxy/a%20b/",
  });
});

test("a body arrives whole whatever the method, and is never taken for another request", async () => {
  const heard: string[] = [];
  const { ask, socket, send, over } = await serving(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    heard.push(`${request.method} ${body}`);
    response.end();
  });
  ask({ method: "DELETE", hasBody: true });
  socket.send(Buffer.from("GET /other HTTP/1.1\r\n\r\n"));
  send({ type: "end" });
  await over;
  expect(heard).toEqual(["DELETE GET /other HTTP/1.1\r\n\r\n"]);
});

test.each([
  ["plain", (text: string) => Buffer.from(text), (body: Buffer) => body.toString(), {}],
  ["gzip", gzipSync, (body: Buffer) => gunzipSync(body).toString(), { "content-encoding": "gzip" }],
])("the URLs of a page lead through the proxy: %s", async (_, encode, decode, headers) => {
  const { ask, over, body } = await serving((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers });
    response.end(encode('<a href="/x">there</a><img src="y.png"><a href="https://example.com/z">away</a>'));
  });
  ask();
  await over;
  expect(decode(Buffer.concat(body))).toBe(
    '<a href="/p/proxy/x">there</a><img src="y.png"><a href="https://example.com/z">away</a>',
  );
});

test("so does a redirect", async () => {
  const { ask, over, answered } = await serving((_, response) => response.writeHead(302, { Location: "/on" }).end());
  ask();
  await over;
  expect(answered()).toMatchObject({ status: 302 });
  expect(answered()?.headers).toContainEqual(["Location", "/p/proxy/on"]);
});

test("a client that does not read holds the program back", async () => {
  const size = 4 * WINDOW_BYTES;
  const { ask, send, over, text } = await serving((_, response) => response.end("x".repeat(size)));
  ask();
  await expect.poll(() => text().length).toBeGreaterThanOrEqual(WINDOW_BYTES);
  const held = text().length;
  expect(held).toBeLessThan(2 * WINDOW_BYTES);
  send({ type: "read", bytes: size });
  await over;
  expect(text().length).toBe(size);
});

test("a port where nothing listens is told of in Go's words", async () => {
  const port = await listening(createServer());
  for (const close of closers.splice(0)) close();
  const { ask, over, messages } = await edge(port);
  ask();
  await over;
  expect(messages).toEqual([
    { type: "unreachable", message: `dial tcp 127.0.0.1:${port}: connect: connection refused` },
  ]);
});

test("a WebSocket is joined, with its subprotocol and the kinds of its messages", async () => {
  const server = createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => "second" });
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  const { ask, socket, answered, over } = await edge(await listening(server));
  ask({ upgrade: ["first", "second"] });
  await expect.poll(answered).toMatchObject({ status: 101, headers: [["sec-websocket-protocol", "second"]] });
  socket.removeAllListeners("message");
  const echoed: [string, boolean][] = [];
  socket.on("message", (data: Buffer, isBinary) => echoed.push([data.toString(), isBinary]));
  socket.send("text");
  socket.send(Buffer.from("bytes"));
  await expect
    .poll(() => echoed)
    .toEqual([
      ["text", false],
      ["bytes", true],
    ]);
  socket.close(1000);
  await over;
});

test("the node itself is asked where no address is named", async () => {
  const { ask, over, answered, text } = await edge(10250, "");
  ask({ path: "/pods?x=1" });
  await over;
  expect(answered()).toMatchObject({ status: 200 });
  expect(answered()?.headers).toContainEqual(["x-asked", "/pods?x=1"]);
  expect(text()).toBe("ok");
});

test("a program that speaks HTTP/2 in the clear is spoken to so", async () => {
  const program = createHttp2((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      response.writeHead(201, { "x-made": "yes" });
      response.end(`${request.httpVersion} ${request.method} ${request.url} ${request.authority} ${body}`);
    });
  });
  const port = await listening(program);
  const { ask, socket, send, over, answered, text } = await edge(port, "127.0.0.1", "h2c");
  ask({ method: "POST", path: "/a?b", headers: [["host", "app.example.com"]], hasBody: true, asIs: true });
  socket.send(Buffer.from("words"));
  send({ type: "end" });
  await over;
  expect(answered()).toMatchObject({ status: 201 });
  expect(answered()?.headers).toContainEqual(["x-made", "yes"]);
  expect(text()).toBe("2.0 POST /a?b app.example.com words");
});

test("where nobody speaks HTTP/2 it is said", async () => {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, "close");
  const { ask, over, messages } = await edge(port, "127.0.0.1", "h2c");
  ask({ asIs: true });
  await over;
  expect(messages).toEqual([
    { type: "unreachable", message: `dial tcp 127.0.0.1:${port}: connect: connection refused` },
  ]);
});

test("what speaks of the connection does not go on to a program that speaks HTTP/2", async () => {
  const program = createHttp2((request, response) => response.end(String(request.headers["x-said"])));
  const { ask, over, answered, text } = await edge(await listening(program), "127.0.0.1", "h2c");
  const headers = Object.entries({
    Connection: "x-own",
    "X-Own": "1",
    "HTTP2-Settings": "AAMAAABk",
    "x-said": "hello",
  });
  ask({ headers, asIs: true });
  await over;
  expect(answered()).toMatchObject({ status: 200 });
  expect(text()).toBe("hello");
});

test("headers that HTTP/2 refuses are told, be the program there or not", async () => {
  const program = createHttp2();
  const port = await listening(program);
  const twice = [
    ["content-type", "a"],
    ["content-type", "b"],
  ];
  const refused = [{ type: "unreachable", message: expect.stringContaining("content-type") }];
  const there = await edge(port, "127.0.0.1", "h2c");
  there.ask({ headers: twice, asIs: true });
  await there.over;
  expect(there.messages).toEqual(refused);
  program.close();
  await once(program, "close"); // it has no connection left
  const gone = await edge(port, "127.0.0.1", "h2c");
  gone.ask({ headers: twice, asIs: true });
  await gone.over;
  expect(gone.messages).toEqual(refused);
});

test("what comes by the edge is counted by how its answer began, or that none did", async () => {
  const hangs = Promise.withResolvers<void>();
  const answers = createServer(({ url }, response) => {
    if (url === "/ends") response.socket?.destroy();
    else if (url === "/hangs") hangs.resolve();
    else response.writeHead(Number(url?.slice(1))).end();
  });
  const port = await listening(answers);
  for (const path of ["/200", "/503", "/ends"]) {
    const { ask, over } = await edge(port);
    ask({ path });
    await over;
  }
  const gone = await edge(port);
  gone.ask({ path: "/hangs" });
  await hangs.promise;
  gone.socket.close();
  const told = () => counts.figures().services[`default/${port}`];
  while (told()?.pending !== 0) await effects.sleep(5);
  expect([told()?.perSecond, told()?.failedPerSecond]).toEqual([4 / 30, 2 / 30]);
  expect(told()?.took?.reduce((sum, count) => sum + count, 0)).toBe(4);
});
