import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, Server, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Waker } from "../../../worker/kinds/ingress/idle.ts";
import { effects } from "../../effects.ts";
import { IPV4 } from "../family.ts";
import type { EndpointSlice, Service } from "../types.ts";
import type { Endpoint } from "./endpoints.ts";
import { HeldPorts } from "./held-ports.ts";

/** Of the pods' range, while what it is joined with is at 127.0.0.1. */
const GATEWAY = "127.0.0.9";
const PATH = "shop/web/tcp-80";
const service = (annotations: Record<string, string> = { "skerry.dev/scale-to-zero": "1m" }): Service => ({
  metadata: { namespace: "shop", name: "web", annotations },
  spec: {
    clusterIP: "10.96.0.7",
    ports: [
      { name: "http", protocol: "TCP", port: 80 },
      { name: "dns", protocol: "UDP", port: 53 },
    ],
  },
});

let held: HeldPorts;
let places: ReadonlyMap<string, Endpoint>;
let woken: [string, string, Waker][];
let mayJoin: boolean;
let isPod: boolean;
let logged: string[];
let waiting: { ms: number; body(): void; isOver: boolean }[];
const servers: Server[] = [];
/** How far the clock is ahead, ms. */
let ahead: number;

/** What waits for a time waits until the test says so. */
const timers = {
  ...effects,
  now: () => effects.now() + ahead,
  sleep: () => effects.sleep(1),
  after(ms: number, body: () => void) {
    const one = { ms, body, isOver: false };
    waiting.push(one);
    return () => {
      one.isOver = true;
    };
  },
};
const pass = (ms: number) => {
  for (const one of waiting.filter((one) => one.ms === ms && !one.isOver)) one.body();
};

const slice = (port: number, ready = true): EndpointSlice => ({
  metadata: { namespace: "shop", name: "web-x", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "http", protocol: "TCP", port }],
  endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready, serving: true, terminating: !ready } }],
});

async function serve(handler: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => handler(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const bound = server.address();
  return bound && typeof bound === "object" ? bound.port : 0;
}

/** It may be reset as soon as it is there. */
async function ask(): Promise<Socket> {
  const { address: host, port } = places.get(PATH) as Endpoint;
  const socket = connect({ host, port, allowHalfOpen: true });
  await new Promise<void>((resolve) => {
    socket.on("error", () => resolve()).once("connect", resolve);
  });
  return socket;
}

const codeOf = (socket: Socket) => (socket.errored as NodeJS.ErrnoException | null)?.code;
const isReset = (socket: Socket) => expect.poll(() => codeOf(socket)).toBe("ECONNRESET");

beforeEach(async () => {
  [woken, mayJoin, isPod, logged, waiting, ahead] = [[], true, false, [], [], 0];
  held = new HeldPorts({
    effects: timers,
    family: IPV4,
    address: GATEWAY,
    place: () => ({ nodeName: "here", zone: undefined }),
    wake: (...word) => void woken.push(word),
    isPod: () => isPod,
    mayJoin: () => mayJoin,
    log: (message) => void logged.push(message),
  });
  places = await held.want([service()], []);
});

afterEach(() => {
  held.close();
  for (const server of servers.splice(0)) server.close();
});

describe("a connection for what sleeps", () => {
  test("wakes it, waits for its first ready endpoint, and is joined with it, each direction to its own end", async () => {
    const sent = Buffer.alloc(3_000_000, "skerry");
    const client = await ask();
    client.end(sent);
    await expect
      .poll(() => woken)
      .toEqual([["shop", "web", { protocol: "TCP", port: 80, address: expect.any(String) }]]);
    const port = await serve(async (socket) => void socket.end(await buffer(socket)));
    await held.want([service()], [slice(port, false)]); // it only ends
    await held.want([service()], [slice(port)]);
    expect((await buffer(client)).equals(sent)).toBe(true);
  });

  test.each([
    [true, GATEWAY],
    [false, "127.0.0.1"],
  ])("is joined from the range of pods where a pod makes it: %s", async (itIs, from) => {
    isPod = itIs;
    const client = await ask();
    await held.want([service()], [slice(await serve((socket) => socket.end(socket.remoteAddress ?? "")))]);
    expect(await text(client)).toBe(from);
  });

  test("says again and again that it waits", async () => {
    await ask();
    await expect.poll(() => woken.length).toBe(1);
    await held.want([service(), { metadata: { namespace: "shop", name: "other" } }], []); // of which it hears nothing
    ahead = 4_000;
    pass(4_000);
    expect(woken).toHaveLength(2);
  });

  test("tries an endpoint that refuses until one does not", async () => {
    const gone = await serve(() => {});
    servers.pop()?.close();
    const client = await ask();
    await held.want([service()], [slice(gone)]);
    await expect.poll(() => waiting.some(({ ms, isOver }) => ms === 250 && !isOver)).toBe(true);
    pass(250);
    await expect.poll(() => waiting.filter(({ ms }) => ms === 250).length).toBe(2);
    const port = await serve((socket) => socket.end("here"));
    await held.want([service()], [slice(port)]);
    expect(await text(client)).toBe("here");
  });

  test("is reset when its time is over, when policies have a say in it, and when nothing is to sleep any more", async () => {
    const late = await ask();
    await expect.poll(() => woken.length).toBe(1);
    ahead = 60_000;
    for (const { ms } of [...waiting]) if (ms > 50_000) pass(ms);
    await isReset(late);

    mayJoin = false;
    const bound = await ask();
    await held.want([service()], [slice(await serve((socket) => socket.end("never")))]);
    await isReset(bound);

    await held.want([service()], []);
    const other = await ask();
    await expect.poll(() => woken.length).toBeGreaterThan(1);
    expect((await held.want([service({})], [])).size).toBe(0);
    await isReset(other);
  });

  test("that is one too many is reset", async () => {
    await Promise.all(Array.from({ length: 100 }, ask));
    await expect.poll(() => waiting.filter(({ ms }) => ms > 50_000).length).toBe(100);
    await isReset(await ask());
  });

  test("hears of it when the other end breaks", async () => {
    const client = await ask();
    await held.want([service()], [slice(await serve((socket) => socket.once("data", () => socket.resetAndDestroy())))]);
    client.write("hello");
    await isReset(client);
  });

  test("that its client ends without a word is over", async () => {
    const client = await ask();
    await expect.poll(() => woken.length).toBe(1);
    client.end();
    await expect.poll(() => waiting.every(({ isOver }) => isOver)).toBe(true);
    await expect.poll(() => client.resume().destroyed).toBe(true);
    expect(codeOf(client)).toBeUndefined();
  });

  test("of which the client goes is waited for no more", async () => {
    const client = await ask();
    await expect.poll(() => woken.length).toBe(1);
    client.resetAndDestroy();
    await expect.poll(() => waiting.every(({ isOver }) => isOver)).toBe(true);
  });
});

test("places stay while a Service may sleep", async () => {
  const port = await serve(() => {});
  expect(await held.want([service()], [slice(port)])).toEqual(places);
  expect([...places.keys()]).toEqual([PATH, "shop/web/udp-53"]);
});

test("places are there until the kernel leads there no more", async () => {
  expect((await held.want([], [])).size).toBe(0);
  await isReset(await ask());
  held.release();
  expect(codeOf(await ask())).toBe("ECONNREFUSED");
});

test("a connection that cannot be taken is told, and the next one can", async () => {
  const listen = vi.spyOn(Server.prototype, "listen");
  places = await held.want([{ ...service(), metadata: { ...service().metadata, name: "other" } }], []);
  const [server] = listen.mock.contexts as Server[];
  listen.mockRestore();
  server?.emit("error", new Error("accept EMFILE"));
  expect(logged).toEqual(["shop/other/tcp-80 misses a connection while it sleeps: accept EMFILE"]);
});

test("datagrams say that somebody asks, and not each of them", async () => {
  const { address, port } = places.get("shop/web/udp-53") as Endpoint;
  const socket = createSocket("udp4");
  for (let sent = 0; sent < 3; sent++) socket.send("anybody?", port, address);
  await expect.poll(() => woken).toEqual([["shop", "web", { protocol: "UDP", port: 53, address: expect.any(String) }]]);
  socket.close();
});
