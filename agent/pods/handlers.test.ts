import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { steadyEffects } from "../effects.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { act } from "./handlers.ts";

let server: Server | undefined;
afterEach(() => server?.close());

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => serve(socket.on("error", () => {})));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return (listening.address() as { port: number }).port;
}

function probe(port: number, kind: "httpGet" | "tcpSocket") {
  const target = { container: { name: "c" }, containerId: "", ip: "127.0.0.1" };
  return act({ [kind]: { port } }, target, { nerdctl: {} as Nerdctl, timers: steadyEffects }, 2_000);
}

test("a program that answers is well, one that answers with an error is not", async () => {
  const answer = (status: string) => (socket: Socket) =>
    socket.once("data", () => socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nok`));
  expect(await probe(await listen(answer("200 OK")), "httpGet")).toEqual({ ok: true, output: "ok" });
  server?.close();
  expect(await probe(await listen(answer("500 No")), "httpGet")).toEqual({
    ok: false,
    output: "HTTP probe failed with statuscode: 500",
  });
});

test("what went wrong on the network is said as kubelets say it", async () => {
  const hangsUp = await listen((socket) => socket.end());
  expect((await probe(hangsUp, "httpGet")).output).toBe(`Get "http://127.0.0.1:${hangsUp}/": EOF`);
  expect((await probe(hangsUp, "tcpSocket")).ok).toBe(true);
  server?.close();
  const resets = await listen((socket) => socket.once("data", () => socket.resetAndDestroy()));
  expect((await probe(resets, "httpGet")).output).toMatch(/: read: connection reset by peer$/);
  server?.close();
  await new Promise((resolve) => setImmediate(resolve));
  for (const kind of ["httpGet", "tcpSocket"] as const)
    expect((await probe(resets, kind)).output).toContain(`dial tcp 127.0.0.1:${resets}: connect: connection refused`);
});
