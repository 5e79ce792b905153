import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type ProxyMessage, WINDOW_BYTES } from "../../worker/protocol/proxy.ts";
import { DataRefusal, type VolumeData } from "../volumes/persistent/provisioned.ts";
import { serveProxy } from "./proxy.ts";
import type { StreamDeps } from "./served.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Timers that only the test lets go off. */
function clock() {
  const waiting = new Set<() => void>();
  const after = (_ms: number, body: () => void) => {
    waiting.add(body);
    return () => void waiting.delete(body);
  };
  const passed = () => {
    for (const body of [...waiting]) body();
  };
  return { timers: { after, sleep: async () => {} }, passed, waiting };
}

const nothing: VolumeData = {
  async *read() {},
  write: async () => 0,
  check: async () => {},
};

/** The edge's end of a stream about a volume, whose address is that of a program which nobody may reach. */
async function edge(data: Partial<VolumeData>) {
  let reached = 0;
  const program = createServer((_request, response) => {
    reached++;
    response.end();
  }).listen(0, "127.0.0.1");
  await once(program, "listening");
  const relay = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(relay, "listening");
  const socket = new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}`);
  const [near] = (await once(relay, "connection")) as [WebSocket];
  await once(socket, "open");
  closers.push(() => {
    socket.terminate();
    relay.close();
    program.close();
  });
  const { timers, passed, waiting } = clock();
  const deps = { volumes: () => ({ ...nothing, ...data }), effects: timers } as unknown as StreamDeps;
  const { port } = program.address() as AddressInfo;
  const volume = { name: "pvc-1", path: "/volumes/pvc-1_x" };
  const request = { id: "1", kind: "proxy", scheme: "http", address: "127.0.0.1", port, volume } as const;
  const messages: ProxyMessage[] = [];
  socket.on("message", (bytes: Buffer, isBinary) => isBinary || messages.push(JSON.parse(bytes.toString())));
  const closed = once(socket, "close");
  const served = serveProxy({ socket: near, request, deps }).catch((error: Error) => {
    near.close(1011);
    return error.message;
  });
  const send = (message: Partial<ProxyMessage>) => socket.send(JSON.stringify(message));
  const ask = (method: string, hasBody = false) =>
    send({ type: "request", method, path: "/skerry/volumes/default/data", headers: [], prefix: "", hasBody });
  return { socket, send, ask, served, closed, messages, passed, waiting, reached: () => reached };
}

test("what asks for a volume's data reaches nothing else of the machine", async () => {
  const { ask, served, messages, reached } = await edge({});
  ask("GET");
  expect(await served).toBeUndefined();
  await expect.poll(() => messages.map(({ type }) => type)).toEqual(["response", "end"]);
  expect(reached()).toBe(0);
});

test("a refusal is an answer before there is one, and breaks off what was sent already", async () => {
  const refused = await edge({
    // biome-ignore lint/correctness/useYield: it comes to none
    async *read() {
      throw new DataRefusal("pods have it");
    },
  });
  refused.ask("GET");
  await refused.served;
  await expect.poll(() => refused.messages).toMatchObject([{ type: "response", status: 409 }, { type: "end" }]);

  const late = await edge({
    async *read() {
      yield Buffer.from("part");
      throw new DataRefusal("pods have it");
    },
  });
  late.ask("GET");
  expect(await late.served).toBe("pods have it");
  const [code] = await late.closed;
  expect(code).toBe(1011);
  expect(late.messages).toMatchObject([{ type: "response", status: 200 }]);
});

test("a client that sends nothing more for long ends the restore", async () => {
  const written: string[] = [];
  let began = () => {};
  const first = new Promise<void>((resolve) => {
    began = resolve;
  });
  const { ask, socket, served, passed, waiting } = await edge({
    async write(_volume, archive: Readable) {
      for await (const piece of archive) {
        written.push(String(piece));
        began();
      }
      return 0;
    },
  });
  ask("PUT", true);
  socket.send(Buffer.from("part"));
  await first;
  passed();
  expect(await served).toBe("no byte came through for 10 minutes");
  expect(written).toEqual(["part"]);
  await expect.poll(() => waiting.size).toBe(0);
});

test("a client that takes nothing more for long ends the backup, and what it holds", async () => {
  let isReleased = false;
  const { ask, messages, served, closed, passed, waiting } = await edge({
    async *read() {
      try {
        for (;;) yield Buffer.alloc(WINDOW_BYTES);
      } finally {
        isReleased = true;
      }
    },
  });
  ask("GET");
  await expect.poll(() => messages.length).toBe(1);
  await expect.poll(() => waiting.size).toBe(1);
  passed();
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1011, "no byte came through for 10 minutes"]);
  await served;
  await expect.poll(() => isReleased).toBe(true);
  await expect.poll(() => waiting.size).toBe(0);
});
