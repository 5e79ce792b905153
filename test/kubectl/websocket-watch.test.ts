/** Watches by WebSocket, as web pages have them. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { eventually, TestCluster } from "../support/cluster.ts";

type Event = { type: string; object: { kind: string; metadata: { name: string } } };

let cluster: TestCluster;
let ca: string;
let token: string;

beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  ca = readFileSync(join(cluster.home, "tls/ca.crt"), "utf8");
  token = (await cluster.ok("config view --raw -o jsonpath={.users[0].user.token}")).trim();
});
afterAll(() => cluster?.stop());

function open(query: string, protocols: string[] = []) {
  const url = `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/configmaps?${query}`;
  const socket = new WebSocket(url, protocols, { ca, headers: { authorization: `Bearer ${token}` } });
  const events: Event[] = [];
  socket.on("message", (data) => events.push(JSON.parse(data.toString()) as Event));
  return { socket, events };
}

test("each event is a message, from the first state on", async () => {
  await cluster.ok("create configmap first");
  const { socket, events } = open("watch=true");
  await eventually("the first state", async () => events.some(({ object }) => object.metadata.name === "first"));
  await cluster.ok("create configmap second");
  await cluster.ok("delete configmap first");
  await eventually("what follows", async () => events.some(({ type }) => type === "DELETED"));
  const told = events.map(({ type, object }) => `${type} ${object.metadata.name}`);
  expect(told.filter((event) => / (first|second)$/.test(event))).toEqual([
    "ADDED first",
    "ADDED second",
    "DELETED first",
  ]);
  socket.close();
});

test("it ends when its time is up", async () => {
  const { socket } = open("watch=true&timeoutSeconds=1");
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(1000);
});

test("a browser says its token as a subprotocol, which is not the one agreed upon", async () => {
  const url = `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/configmaps?watch=true`;
  const said = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
  const socket = new WebSocket(url, [said, "watch"], { ca });
  await once(socket, "open");
  expect(socket.protocol).toBe("watch");
  socket.close();
});

test("a subprotocol that the client wants is its own affair; what is refused is no socket", async () => {
  const { socket } = open("watch=true", ["base64.binary.k8s.io"]);
  await once(socket, "open");
  expect(socket.protocol).toBe("base64.binary.k8s.io");
  socket.close();
  const { socket: refused } = open("watch=true&fieldSelector=x%3Dy");
  const [, response] = (await once(refused, "unexpected-response")) as [unknown, { statusCode: number }];
  expect(response.statusCode).toBe(400);
});
