/** A port's two sides on real sockets: WireGuard's on this machine, and another agent's behind a relay. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { effects } from "../../effects.ts";
import { offerText, packetsOf, packetsTo } from "./frames.ts";
import { RelayPort } from "./relay-port.ts";

let relay: WebSocketServer;
let wireguard: Socket;
let port: RelayPort;
let to: number;
let dials: number;
let packets: number;
const offers: string[][] = [];
const arrived: string[] = [];

beforeEach(async () => {
  relay = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(relay, "listening");
  wireguard = createSocket("udp4");
  wireguard.on("message", (packet) => arrived.push(packet.toString()));
  await new Promise<void>((resolve) => wireguard.bind(0, "127.0.0.1", resolve));
  [dials, packets] = [0, 0];
  offers.length = 0;
  arrived.length = 0;
  port = new RelayPort({
    dial: () => {
      dials++;
      return new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}`);
    },
    wireguardPort: wireguard.address().port,
    effects,
    onPacket: () => packets++,
    onOffer: (endpoints) => offers.push(endpoints),
  });
  to = Number((await port.listen()).split(":")[1]);
});

afterEach(async () => {
  port.close();
  wireguard.close();
  for (const socket of relay.clients) socket.terminate();
  await new Promise((resolve) => relay.close(resolve));
});

/** The other end of the next socket, and what comes there: packets, and texts in brackets. */
async function otherEnd(): Promise<{ socket: WebSocket; heard: string[] }> {
  const [socket] = (await once(relay, "connection")) as [WebSocket];
  const heard: string[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) for (const packet of packetsOf(data)) heard.push(packet.toString());
    else heard.push(`[${data}]`);
  });
  return { socket, heard };
}

const send = (...words: string[]) => {
  for (const word of words) wireguard.send(word, to, "127.0.0.1");
};

test("what WireGuard sends dials the relay, and nothing of it is lost meanwhile or out of order", async () => {
  const end = otherEnd();
  send("one", "two", "three");
  const { socket, heard } = await end;
  await expect.poll(() => heard).toEqual(["one", "two", "three"]);
  send(...Array.from({ length: 50 }, (_, k) => `${k}`));
  await expect.poll(() => heard.length).toBe(53);
  expect(heard.slice(3)).toEqual(Array.from({ length: 50 }, (_, k) => `${k}`));
  socket.send(packetsTo([Buffer.from("answer"), Buffer.from("another")]));
  await expect.poll(() => arrived).toEqual(["answer", "another"]);
  expect([dials, packets]).toEqual([1, 54]);
});

test("an offer goes before what waits, and the other's is heard", async () => {
  const end = otherEnd();
  send("packet");
  port.offer(["192.0.2.1:20000"]);
  const { socket, heard } = await end;
  await expect.poll(() => heard).toEqual([`[${offerText(["192.0.2.1:20000"])}]`, "packet"]);
  socket.send(offerText(["192.0.2.2:20000"]));
  await expect.poll(() => offers).toEqual([["192.0.2.2:20000"]]);
});

test("a relay that is lost is dialled again by what is sent next", async () => {
  const first = otherEnd();
  send("one");
  const { socket } = await first;
  await expect.poll(() => port.isOpen).toBe(true);
  socket.terminate();
  await expect.poll(() => port.isOpen).toBe(false);
  const second = otherEnd();
  send("two");
  await expect.poll(async () => (await second).heard).toEqual(["two"]);
});

test("another agent's socket serves as well as one's own", async () => {
  const end = otherEnd();
  port.accept(new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}`));
  const { heard } = await end;
  await expect.poll(() => port.isOpen).toBe(true);
  send("word");
  await expect.poll(() => heard).toEqual(["word"]);
  expect(dials).toBe(0);
});

test("of many sockets of another agent the last ones stay", async () => {
  const sockets = Array.from(
    { length: 6 },
    () => new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}`),
  );
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  for (const socket of sockets) port.accept(socket);
  await expect
    .poll(() => sockets.map(({ readyState }) => readyState === WebSocket.OPEN))
    .toEqual([false, false, true, true, true, true]);
  expect(port.isOpen).toBe(true);
});

test("what comes to the port from anyone but WireGuard goes nowhere", async () => {
  const stranger = createSocket("udp4");
  await new Promise<void>((resolve) => stranger.send("word", to, "127.0.0.1", () => resolve()));
  const end = otherEnd();
  send("mine");
  await expect.poll(async () => (await end).heard).toEqual(["mine"]);
  stranger.close();
});
