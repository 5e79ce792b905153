import { createServer, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";
import { effects } from "../effects.ts";
import { ApiForwarder } from "./api-forwarder.ts";

// Loopback addresses of this test alone: 443 there is nobody else's.
const address = "127.87.61.7";
const token = "Bearer pod-token";

const seen: { method?: string; url?: string; headers: IncomingMessage["headers"]; body: string }[] = [];
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "v5.channel.k8s.io" });
const upstream = createServer(async (request, response) => {
  const body: Buffer[] = [];
  for await (const chunk of request) body.push(chunk);
  seen.push({
    method: request.method,
    url: request.url,
    headers: request.headers,
    body: Buffer.concat(body).toString(),
  });
  if (request.url?.endsWith("/watch")) {
    response.writeHead(200, { "content-type": "application/json", connection: "keep-alive", "x-kept": "yes" });
    response.flushHeaders();
    response.write('{"type":"ADDED"}\n');
    return void request.socket
      .once("data", () => {})
      .once("close", () => seen.push({ url: "gone", headers: {}, body: "" }));
  }
  response.writeHead(201, "Made", { "x-kept": "yes" });
  response.end(`${request.method} ok`);
});
upstream.on("upgrade", (request, socket, head) => {
  if (request.url?.endsWith("/denied")) return socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno, no");
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.send(`${request.url} ${request.headers.authorization}`);
    ws.on("message", (data, binary) => ws.send(data, { binary }));
  });
});

let forwarder: ApiForwarder;
let offline: ApiForwarder;
let ca: string;
let port: number;
let offlinePort: number;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const authority = await createAuthority("test", effects.now());
  const pair = await issueServer(
    authority,
    "kubernetes.default",
    { dns: ["kubernetes.default"], ip: [] },
    effects.now(),
  );
  ca = authority.certificate;
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/clusters/test/`;
  forwarder = new ApiForwarder({ upstream: new URL(url), ...pair });
  port = await forwarder.listen(address);
  offline = new ApiForwarder({ upstream: new URL("http://127.0.0.1:1/clusters/test"), ...pair });
  offlinePort = await offline.listen(address);
});

afterAll(async () => {
  await Promise.all([forwarder.close(), offline.close()]);
  sockets.close();
  upstream.closeAllConnections();
  upstream.close();
});

type Answer = { status?: number; message?: string; headers: IncomingMessage["headers"]; body: string };

function call(options: RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { host: address, port, ca, servername: "kubernetes.default", ...options };
    const request = httpsRequest(all, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, message: response.statusMessage, headers: response.headers, body: text });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const socketTo = (path: string, to = port) =>
  new WebSocket(`wss://${address}:${to}${path}`, ["v5.channel.k8s.io"], {
    ca,
    headers: { authorization: token, host: "kubernetes.default" },
    checkServerIdentity: (_: string, certificate: PeerCertificate) =>
      checkServerIdentity("kubernetes.default", certificate),
  } as unknown as ClientOptions);

test("a request arrives under the cluster's path with its method, body and credentials", async () => {
  const headers = { authorization: token, "content-type": "application/json", "x-hop": "1", connection: "x-hop" };
  const answer = await call({ method: "POST", path: "/api/v1/pods?limit=5&x=%2F", headers }, '{"a":1}');
  expect(answer).toMatchObject({ status: 201, message: "Made", body: "POST ok", headers: { "x-kept": "yes" } });
  const arrived = seen.at(-1);
  expect(arrived).toMatchObject({ method: "POST", url: "/clusters/test/api/v1/pods?limit=5&x=%2F", body: '{"a":1}' });
  expect(arrived?.headers.authorization).toBe(token);
  expect(arrived?.headers.host).toMatch(/^127\.0\.0\.1:/);
  expect(arrived?.headers["x-hop"]).toBeUndefined();
});

test("a body of unknown length passes, on DELETE too", async () => {
  await call({ method: "DELETE", path: "/x", headers: { "transfer-encoding": "chunked" } }, "options");
  expect(seen.at(-1)).toMatchObject({ method: "DELETE", body: "options" });
});

test("no path leads out of the cluster's", async () => {
  for (const path of ["/../other/api", "/%2e%2e/other/api", "//evil.example/x"]) {
    await call({ path });
    expect(seen.at(-1)?.url).toMatch(/^\/clusters\/test\//);
  }
  expect(await call({ path: "http://evil.example/x" })).toMatchObject({ status: 400 });
});

test("a watch's events come one by one, and its end reaches the upstream", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const options = { host: address, port, ca, servername: "kubernetes.default", path: "/watch" };
  const request = httpsRequest(options, (response) => response.once("data", (chunk) => resolve(String(chunk))));
  request.on("error", () => {});
  request.end();
  expect(await promise).toBe('{"type":"ADDED"}\n');
  request.destroy();
  await expect.poll(() => seen.at(-1)?.url).toBe("gone");
});

test("a WebSocket passes both ways with its subprotocol", async () => {
  const socket = socketTo("/exec?command=ls");
  const messages: string[] = [];
  socket.on("message", (data) => messages.push(String(data)));
  await new Promise((resolve) => socket.once("open", resolve));
  expect(socket.protocol).toBe("v5.channel.k8s.io");
  socket.send("x".repeat(200_000));
  await expect.poll(() => messages[1]?.length).toBe(200_000);
  expect(messages[0]).toBe(`/clusters/test/exec?command=ls ${token}`);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.close(1000);
  expect(await closed).toBe(1000);
});

test("a refused upgrade is told as it was", async () => {
  const socket = socketTo("/denied");
  const response = await new Promise<IncomingMessage>((resolve) => {
    socket.on("error", () => {});
    socket.once("unexpected-response", (_, answer) => resolve(answer));
  });
  expect(response.statusCode).toBe(403);
  let body = "";
  for await (const chunk of response) body += chunk;
  expect(body).toBe("no, no");
});

test("an unreachable cluster is a Status that says so, for requests and upgrades", async () => {
  const answer = await call({ path: "/api", port: offlinePort });
  expect(answer).toMatchObject({ status: 503, headers: { "content-type": "application/json", "retry-after": "1" } });
  expect(JSON.parse(answer.body)).toMatchObject({
    kind: "Status",
    status: "Failure",
    reason: "ServiceUnavailable",
    code: 503,
  });
  const socket = socketTo("/exec", offlinePort);
  const response = await new Promise<IncomingMessage>((resolve) => {
    socket.on("error", () => {});
    socket.once("unexpected-response", (_, refused) => resolve(refused));
  });
  expect(response.statusCode).toBe(503);
  (response.socket as Socket).destroy();
});
