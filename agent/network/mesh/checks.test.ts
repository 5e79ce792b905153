/** What the checks make of addresses that nothing can be sent to. */
import { Socket } from "node:dgram";
import { expect, test, vi } from "vitest";
import { effects } from "../../effects.ts";
import { Checks } from "./checks.ts";
import { BINDING_REQUEST, writeStun } from "./stun.ts";

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
  const bind = vi.spyOn(Socket.prototype, "bind");
  await checks.listen(0);
  const socket = bind.mock.contexts[0] as Socket;
  bind.mockRestore();
  return { checks, asked, socket };
}

test("who asks from port 0 is not answered, and others are", async () => {
  const { checks, asked, socket } = await opened([]);
  const request = writeStun({ type: BINDING_REQUEST, transaction: "b7e7a701bc34d686fa87dfae", username: "b" }, SECRET);
  for (const port of [0, 9]) socket.emit("message", request, { address: "127.0.0.1", family: "IPv4", port, size: 0 });
  expect(asked).toEqual(["127.0.0.1:9"]);
  checks.close();
});

test("servers that cannot be are not asked", async () => {
  const { checks } = await opened(["127.0.0.1:99999", "127.0.0.1:0", ":3478", ""]);
  expect(await checks.seen()).toEqual([]);
  checks.close();
});
