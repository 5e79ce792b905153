/** The real Relay object: two sides of a stream, in every order of coming and going. */
import type { Miniflare, WebSocket } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

/** Opens a side of a stream at the object, as the Worker does. */
const WORKER = `
  export { Relay } from "../../worker/relay.ts";
  export default {
    fetch(request, { RELAYS }) {
      const relay = RELAYS.get(RELAYS.idFromName("node"));
      return relay.fetch("https://relay" + new URL(request.url).pathname, { headers: { upgrade: "websocket" } });
    },
  };`;

let miniflare: Miniflare;

beforeAll(async () => {
  const stdin = { contents: WORKER, resolveDir: import.meta.dirname };
  miniflare = await startWorker({ stdin }, { RELAYS: "Relay" });
}, 30_000);

afterAll(() => miniflare.dispose());

type End = { socket: WebSocket; heard: string[]; closed: Promise<{ code: number; reason: string }> };

async function join(side: "client" | "agent", id: string): Promise<End> {
  const { webSocket: socket } = await miniflare.dispatchFetch(`http://relay/${side}/${id}`, {
    headers: { upgrade: "websocket" },
  });
  if (!socket) throw new Error(`the ${side} was refused`);
  const heard: string[] = [];
  socket.addEventListener("message", ({ data }) => heard.push(String(data)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
  );
  socket.accept();
  return { socket, heard, closed };
}

test("what one side says before the other is there comes first", async () => {
  const agent = await join("agent", "a");
  agent.socket.send("one");
  const client = await join("client", "a");
  agent.socket.send("two");
  client.socket.send("thanks");
  await expect.poll(() => [client.heard, agent.heard]).toEqual([["one", "two"], ["thanks"]]);
  agent.socket.close(1000, "done");
  expect(await client.closed).toEqual({ code: 1000, reason: "done" });
});

test("a side that has said all and gone before the other came is heard all the same", async () => {
  const agent = await join("agent", "b");
  agent.socket.send("output");
  agent.socket.close(1000, "done");
  await agent.closed;
  const client = await join("client", "b");
  await expect.poll(() => client.heard).toEqual(["output"]);
});

test("nothing is lost when one side goes in the very moment that the other comes", async () => {
  for (let turn = 0; turn < 50; turn++) {
    const agent = await join("agent", `c${turn}`);
    agent.socket.send("output");
    agent.socket.close(1000, "done");
    const client = await join("client", `c${turn}`);
    await expect.poll(() => client.heard).toEqual(["output"]);
  }
});

test("a side comes once", async () => {
  await join("agent", "d");
  const second = await miniflare.dispatchFetch("http://relay/agent/d", { headers: { upgrade: "websocket" } });
  expect(second.status).toBe(409);
});
