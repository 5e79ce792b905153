import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { CloseCode, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, type ToNode } from "../worker/protocol/link.ts";
import { effects } from "./effects.ts";
import { type Handlers, joinParts, Link, type Objects, Offline } from "./link.ts";
import { dialLink } from "./link-socket.ts";

const change = (name: string) => ({ resource: "pods", namespace: "default", name, object: { metadata: { name } } });

test("parts of a snapshot are one snapshot, at the last part's revision", () => {
  const first: Objects = { type: "snapshot", revision: 0, objects: [change("a")] };
  const last: Objects = { type: "changes", revision: 7, changes: [change("b")] };
  expect(joinParts(first, last)).toEqual({ type: "snapshot", revision: 7, objects: [change("a"), change("b")] });
});

const server = createServer();
const sockets = new WebSocketServer({ server });
afterEach(() => {
  for (const socket of sockets.clients) socket.terminate();
});

async function connect(answer: (socket: WebSocket, text: string) => void) {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  sockets.removeAllListeners("connection");
  sockets.on("connection", (socket) => socket.on("message", (data) => answer(socket, data.toString())));
  const seen: Objects[] = [];
  const handlers: Handlers = {
    revision: () => 3,
    welcome: () => {},
    objects: (message) => seen.push(message),
    stream: () => {},
    usage: async (pods) => ({ at: 1, ...(pods && { pods: [] }) }),
    online: () => {},
  };
  const { port } = server.address() as AddressInfo;
  const address = { server: `http://127.0.0.1:${port}`, node: "a", token: "t", ca: undefined };
  const options = { dial: () => dialLink(address, () => {}), node: "a", effects, log: () => {} };
  const link = new Link(options, handlers);
  link.start();
  return { link, seen };
}

const until = async (check: () => boolean) => {
  for (let n = 0; n < 6000 && !check(); n++) await effects.sleep(10);
  expect(check()).toBe(true);
};
const say = (socket: WebSocket, message: ToNode) => socket.send(JSON.stringify(message));

test("half a snapshot is handed to no one", async () => {
  const asked = Promise.withResolvers<WebSocket>();
  const { link, seen } = await connect((socket, text) => {
    if (!text.includes('"hello"')) return;
    expect(JSON.parse(text)).toMatchObject({ type: "hello", node: "a", revision: 3 });
    say(socket, { type: "snapshot", revision: 0, objects: [change("a")] });
    asked.resolve(socket);
  });
  const socket = await asked.promise;
  await effects.sleep(50); // time enough for the first half
  expect(seen).toEqual([]);
  expect(link.online).toBe(false);
  say(socket, { type: "changes", revision: 9, changes: [change("b")] });
  await until(() => link.online);
  expect(seen).toEqual([{ type: "snapshot", revision: 9, objects: [change("a"), change("b")] }]);
  link.stop();
});

test("a cluster of an older release is spoken to in its words, and one that has been renewed in the newest", async () => {
  const heard: string[] = [];
  let speaks = OLDEST_PROTOCOL_VERSION;
  const { link } = await connect((socket, text) => {
    heard.push(text);
    if (!text.includes('"hello"')) return;
    const { version } = JSON.parse(text) as { version: number };
    if (version > speaks) return socket.close(CloseCode.version, `this cluster speaks ${speaks}`);
    say(socket, { type: "changes", revision: 4, changes: [] });
  });
  const versions = () =>
    heard.filter((text) => text.includes('"hello"')).map((text) => (JSON.parse(text) as { version: number }).version);
  await until(() => link.online);
  const older = Array.from({ length: PROTOCOL_VERSION }, (_, i) => PROTOCOL_VERSION - i);
  expect(versions()).toEqual(older);
  link.look();
  speaks = PROTOCOL_VERSION;
  for (const socket of sockets.clients) socket.close();
  await until(() => !link.online);
  await until(() => link.online);
  expect(versions()).toEqual([...older, PROTOCOL_VERSION]);
  expect(heard).not.toContain("look");
  link.look();
  await until(() => heard.includes("look"));
  link.stop();
});

test("what the node uses is told when it is asked", async () => {
  const heard: unknown[] = [];
  const { link } = await connect((socket, text) => {
    const message = text === "ping" ? undefined : JSON.parse(text);
    if (message?.type === "usage") heard.push(message);
    if (message?.type !== "hello") return;
    say(socket, { type: "changes", revision: 4, changes: [] });
    say(socket, { type: "usage", id: 7, pods: true });
  });
  await until(() => heard.length > 0);
  expect(heard).toEqual([{ type: "usage", id: 7, usage: { at: 1, pods: [] } }]);
  link.stop();
});

test("calls are answered by id, refused while offline, and rejected when the socket is lost", async () => {
  const { link } = await connect((socket, text) => {
    if (text === "ping") return socket.send("pong");
    const message = JSON.parse(text);
    if (message.type === "hello") say(socket, { type: "changes", revision: 4, changes: [] });
    if (message.path === "/answered") say(socket, { type: "reply", id: message.id, code: 200, body: { ok: true } });
    if (message.path === "/lost") socket.terminate();
  });
  await expect(link.call("GET", "/answered")).rejects.toThrow(Offline);
  await until(() => link.online);
  expect(await link.call("GET", "/answered")).toEqual({ code: 200, body: { ok: true } });
  await expect(link.call("GET", "/lost")).rejects.toThrow("connection to the cluster was lost");
  await until(() => link.online); // it connects again by itself
  link.stop();
  await new Promise((resolve) => server.close(resolve));
});
