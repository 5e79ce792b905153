/** Agents of other releases at this one's cluster, by what they really say. */
import { expect, test } from "vitest";
import { CloseCode, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from "../../worker/protocol/link.ts";
import { clusterObject } from "../support/cluster-object.ts";

type Message = { type: string; version?: number; code?: number };

/** The node's socket after it has said these words. */
async function says(...words: string[]) {
  const object = clusterObject();
  const { token } = await object.ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 600 });
  const joined = await object.ask<{ token: string }>("POST", "/skerry/join", { token, name: "a" });
  const headers = { authorization: `Bearer ${joined.token}`, upgrade: "websocket" };
  await object.host().fetch(new Request("https://cluster/link/a", { headers }));
  const socket = object.sockets.at(-1);
  if (!socket) throw new Error("no socket");
  for (const word of words) await object.host().message(socket, word);
  await object.settled();
  return { socket, told: socket.sent.map((text) => JSON.parse(text) as Message) };
}

const hello = (version: number) => `{"type":"hello","version":${version},"agent":"0.1.0","node":"a","revision":0}`;

test("an agent of protocol 1 is answered in it, and may do all that it did", async () => {
  const { socket, told } = await says(
    hello(1),
    '{"type":"health","ready":true,"message":""}',
    '{"type":"call","id":1,"method":"POST","path":"/api/v1/nodes","body":{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}}}',
    '{"type":"call","id":2,"method":"GET","path":"/api/v1/nodes/a"}',
  );
  expect(socket.open).toBe(true);
  expect(told[0]).toMatchObject({ type: "welcome", version: 1 });
  expect(told.map(({ type }) => type)).toContain("snapshot");
  expect(told.filter(({ type }) => type === "reply").map(({ code }) => code)).toEqual([201, 200]);
});

test("every version from the oldest to the newest is served, and answered in itself", async () => {
  for (let version = OLDEST_PROTOCOL_VERSION; version <= PROTOCOL_VERSION; version++)
    expect((await says(hello(version))).told[0]).toMatchObject({ type: "welcome", version });
});

test.each([OLDEST_PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1])(
  "version %i is refused, so that the agent can say an older one",
  async (version) => {
    const { socket, told } = await says(hello(version));
    expect(socket).toMatchObject({ open: false, code: CloseCode.version });
    expect(told).toEqual([]);
  },
);
