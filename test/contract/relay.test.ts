/** The real Relay object: two sides of a stream, in every order of coming and going. */
import { once } from "node:events";
import type { Miniflare, WebSocket } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket as Socket } from "ws";
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
});

afterAll(() => miniflare.dispose());

type End = { socket: WebSocket; heard: string[]; closed: Promise<{ code: number; reason: string }> };

const ask = (side: "client" | "agent", id: string) =>
  miniflare.dispatchFetch(`http://relay/${side}/${id}`, { headers: { upgrade: "websocket" } });

async function join(side: "client" | "agent", id: string): Promise<End> {
  const { webSocket: socket } = await ask(side, id);
  if (!socket) throw new Error(`the ${side} was refused`);
  const heard: string[] = [];
  socket.addEventListener("message", ({ data }) => heard.push(String(data)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
  );
  socket.accept();
  return { socket, heard, closed };
}

test("either side may come first, and each hears the other in order", async () => {
  for (const [first, second] of [
    ["agent", "client"],
    ["client", "agent"],
  ] as const) {
    const [a, b] = await Promise.all([join(first, `a-${first}`), join(second, `a-${first}`)]);
    for (const word of ["one", "two"]) a.socket.send(word);
    b.socket.send("thanks");
    await expect.poll(() => [b.heard, a.heard]).toEqual([["one", "two"], ["thanks"]]);
    a.socket.close(1000, "done");
    expect(await b.closed).toEqual({ code: 1000, reason: "done" });
  }
});

test("a side that came first is answered only when the other is there: it cannot speak to nobody", async () => {
  const order: string[] = [];
  const client = join("client", "b").then(() => order.push("client"));
  await new Promise((resolve) => setTimeout(resolve, 200));
  order.push("agent");
  await Promise.all([client, join("agent", "b")]);
  expect(order).toEqual(["agent", "client"]);
});

test("nothing is lost of a side that says much at once", async () => {
  const [client, agent] = await Promise.all([join("client", "c"), join("agent", "c")]);
  const megabyte = "x".repeat(1024 * 1024);
  for (let part = 0; part < 4; part++) client.socket.send(megabyte);
  await expect.poll(() => agent.heard.join("").length).toBe(4 * megabyte.length);
});

test.each(["client", "agent"] as const)("a %s that does not read holds the other side back", async (slow) => {
  const url = (await miniflare.ready).href.replace("http", "ws");
  const dial = (side: "client" | "agent") => new Socket(`${url}${side}/slow-${slow}`, { perMessageDeflate: false });
  const reader = dial(slow);
  const writer = dial(slow === "client" ? "agent" : "client");
  let received = 0;
  reader.on("message", (data: Buffer) => {
    received += data.length;
  });
  reader.once("open", () => reader.pause());
  await Promise.all([reader, writer].map((socket) => once(socket, "open")));
  const megabyte = Buffer.alloc(1024 * 1024);
  for (let part = 0; part < 64; part++) writer.send(megabyte);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(writer.bufferedAmount).toBeGreaterThan(32 * megabyte.length);
  reader.resume();
  await expect.poll(() => received).toBe(64 * megabyte.length);
  reader.close();
  writer.close();
});

test("nothing is lost of a side that says all it has and goes", async () => {
  for (let turn = 0; turn < 30; turn++) {
    const [agent, client] = await Promise.all([join("agent", `d${turn}`), join("client", `d${turn}`)]);
    agent.socket.send("output");
    agent.socket.close(1000, "done");
    await expect.poll(() => client.heard).toEqual(["output"]);
  }
});

test("a side comes once", async () => {
  const both = [ask("agent", "e"), ask("agent", "e")];
  // Whichever came first waits for the other side.
  expect((await Promise.race(both)).status).toBe(409);
  await join("client", "e");
  expect((await Promise.all(both)).map(({ status }) => status).toSorted()).toEqual([101, 409]);
  for (const side of ["agent", "client"] as const) expect((await ask(side, "e")).status).toBe(409);
});
