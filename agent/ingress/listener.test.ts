import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Listener } from "./listener.ts";
import { listening, portOf } from "./testing/proxy.ts";

const servers: Server[] = [];
const server = () => {
  const made = createServer((socket) => socket.end());
  servers.push(made);
  return made;
};
afterEach(() => {
  for (const each of servers.splice(0)) each.close();
});

const isOpen = async (port: number) => {
  const socket = connect(port, "127.0.0.1");
  const [event] = await Promise.race([
    once(socket, "connect").then(() => ["open"]),
    once(socket, "error").then(() => ["closed"]),
  ]).catch(() => ["closed"]);
  socket.destroy();
  return event === "open";
};

test("listens on the port that was chosen, and on none where that is 0", async () => {
  const port = portOf(await listening(server()));
  servers[0]?.close();
  const listener = new Listener(server(), 80);
  await listener.open(port);
  expect([listener.port, listener.problem, await isOpen(port)]).toEqual([port, undefined, true]);
  await listener.open(0);
  expect([listener.port, listener.problem, await isOpen(port)]).toEqual([0, undefined, false]);
  await listener.open(port);
  expect(listener.port).toBe(port);
});

test("of a port that is taken it is told; another one is taken only where none was chosen", async () => {
  const taken = portOf(await listening(server()));
  const chosen = new Listener(server(), 80);
  await chosen.open(taken);
  expect(chosen.port).toBe(0);
  expect(chosen.problem).toBe(`port ${taken} cannot be listened on: another program has it`);
  const usual = new Listener(server(), taken);
  await usual.open(undefined);
  expect(usual.port).toBeGreaterThan(0);
  expect(usual.problem).toBe(
    `port ${taken} cannot be listened on: another program has it; port ${usual.port} is taken instead`,
  );
});

test("who waits for a port gets it when it is free", async () => {
  const holder = await listening(server());
  const taken = portOf(holder);
  const listener = new Listener(server(), 80);
  await listener.open(taken);
  expect(listener.port).toBe(0);
  holder.close();
  await once(holder, "close");
  await listener.open(taken);
  expect([listener.port, listener.problem]).toEqual([taken, undefined]);
});
