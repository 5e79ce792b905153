/** What the checks make of addresses that nothing can be sent to. */
import type { Socket } from "node:dgram";
import { expect, test, vi } from "vitest";
import { effects } from "../../effects.ts";
import { Checks } from "./checks.ts";
import { BINDING_REQUEST, writeStun } from "./stun.ts";

const made: Socket[] = [];
vi.mock("node:dgram", async (original) => {
  const dgram = await original<typeof import("node:dgram")>();
  const createSocket = (type: "udp4") => {
    const socket = dgram.createSocket(type);
    made.push(socket);
    return socket;
  };
  return { ...dgram, createSocket };
});

const SECRET = Buffer.from("what both know");

async function opened(servers: string[]) {
  const asked: string[] = [];
  const checks = new Checks({
    nodeName: "a",
    servers,
    effects,
    secretOf: (node) => (node === "b" ? SECRET : undefined),
    isOwn: () => false,
    onAnswer: () => {},
    onAsked: (_node, from) => asked.push(from),
  });
  const port = await checks.listen(0);
  return { checks, asked, port, socket: made.at(-1) };
}

test("who asks from port 0 is not answered, and others are", async () => {
  const { checks, asked, socket } = await opened([]);
  const request = writeStun({ type: BINDING_REQUEST, transaction: "b7e7a701bc34d686fa87dfae", username: "b" }, SECRET);
  for (const port of [0, 9]) socket?.emit("message", request, { address: "127.0.0.1", family: "IPv4", port, size: 0 });
  expect(asked).toEqual(["127.0.0.1:9"]);
  checks.close();
});

test("servers that cannot be are not asked", async () => {
  const { checks } = await opened(["127.0.0.1:99999", "127.0.0.1:0", ":3478", ""]);
  expect(await checks.seen()).toEqual([]);
  checks.close();
});
