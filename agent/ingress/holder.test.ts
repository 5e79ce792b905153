import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect, createServer as createHttp2 } from "node:http2";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { loadsPage, WAITING_PAGE } from "../../worker/lib/waiting-page.ts";
import { Changes } from "../changes.ts";
import { effects, type Timers } from "../effects.ts";
import type { Client } from "./exchange.ts";
import { refuse } from "./forwarder.ts";
import type { Pairs } from "./headers.ts";
import { Holder } from "./holder.ts";
import { Refusal } from "./target.ts";
import { get, HOST, listening, portOf, startProxy, type TestProxy } from "./testing/proxy.ts";

let proxy: TestProxy;
beforeEach(async () => {
  proxy = await startProxy();
});
afterEach(() => proxy.stop());

/** Until so many requests wait. */
async function held(count: number): Promise<void> {
  while (proxy.forwarder.counts.figures().services["default/app"]?.pending !== count) await effects.sleep(5);
}

async function program(): Promise<number> {
  const server = await listening(createServer((incoming, response) => void incoming.pipe(response)));
  server.unref();
  return portOf(server);
}

describe("a service that is scaled to zero", () => {
  test("has its requests wait, whole, and told of once", async () => {
    proxy.sleep();
    const asked = [get(proxy.port, "/", { method: "POST" }, "one"), get(proxy.port, "/", { method: "POST" }, "two")];
    await held(2);
    expect(proxy.woken).toEqual(["default/app"]);
    proxy.lead([await program()]);
    expect((await Promise.all(asked)).map(({ status, text }) => [status, text])).toEqual([
      [200, "one"],
      [200, "two"],
    ]);
  });

  test("has WebSockets wait alike", async () => {
    proxy.sleep();
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, { headers: { host: HOST } });
    await held(1);
    const server = await listening(createServer());
    new WebSocketServer({ server }).on("connection", (one) => one.send("here"));
    proxy.lead([portOf(server)]);
    expect(String((await once(socket, "message"))[0])).toBe("here");
    socket.close();
    server.close();
  });

  test("has calls of gRPC wait alike, body and all", async () => {
    proxy.sleep("h2c");
    const client = connect(`https://127.0.0.1:${proxy.securePort}`, { rejectUnauthorized: false });
    const call = client.request({ ":method": "POST", ":path": "/echo", ":authority": HOST, te: "trailers" });
    call.end("a message");
    await held(1);
    const server = await listening(createHttp2());
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.pipe(stream);
    });
    proxy.lead([portOf(server)], "h2c");
    let text = "";
    call.on("data", (chunk) => {
      text += chunk;
    });
    await once(call, "end");
    expect(text).toBe("a message");
    client.close();
    server.close();
  });

  test("counts nobody who has gone", async () => {
    proxy.sleep();
    const sent = request({ port: proxy.port, host: "127.0.0.1", headers: { host: HOST }, agent: false });
    sent.on("error", () => {});
    sent.end();
    await held(1);
    sent.destroy();
    await held(0);
  });

  test("lets a hundred wait, and says to the others when to come again", async () => {
    proxy.sleep();
    const waiting = Array.from({ length: 100 }, () => get(proxy.port));
    await held(100);
    const { status, headers, text } = await get(proxy.port);
    expect([status, text]).toEqual([503, "too many requests wait for the service to start\n"]);
    expect(headers).toContainEqual(["Retry-After", "10"]);
    proxy.lead([await program()]);
    expect(new Set((await Promise.all(waiting)).map((got) => got.status))).toEqual(new Set([200]));
  });

  test("without that, one that has no endpoints is told of at once", async () => {
    proxy.lead([]);
    expect(await get(proxy.port)).toMatchObject({ status: 503, text: "no endpoint of the service is ready\n" });
    expect(proxy.woken).toEqual([]);
  });
});

describe("who waits for long", () => {
  /** A holder whose clock moves as the timers do. */
  function holding() {
    let now = 0;
    const due: { at: number; body(): void }[] = [];
    const timers: Timers = {
      sleep: () => Promise.reject(new Error("nobody sleeps")),
      after(ms, body) {
        const timer = { at: now + ms, body };
        due.push(timer);
        return () => void due.splice(due.indexOf(timer), due.includes(timer) ? 1 : 0);
      },
    };
    const woken: number[] = [];
    const holder = new Holder(
      timers,
      () => now,
      () => woken.push(now),
    );
    const wait = async (isPage: boolean) => {
      const waiting = { since: now, isPage, gone: new AbortController().signal };
      for (;;) await holder.hold("default/app", waiting, new Changes());
    };
    const pass = async () => {
      const next = due.toSorted((a, b) => a.at - b.at)[0];
      if (!next) return false;
      due.splice(due.indexOf(next), 1);
      now = next.at;
      next.body();
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      return true;
    };
    return { woken, wait, pass, now: () => now };
  }

  test.each([
    [false, 60_000, "the service did not start within 60 s", undefined],
    [true, 5_000, "the service starts", /http-equiv="refresh"/],
  ])("page: %s", async (isPage, after, message, page) => {
    const { woken, wait, pass, now } = holding();
    const refused = wait(isPage).catch((error: unknown) => error);
    while (await pass());
    const error = (await refused) as Refusal;
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ status: 503, message, extras: { retryAfter: 10 } });
    expect(now()).toBe(after);
    if (page) expect(error.extras.page).toMatch(page);
    // The cluster is told again and again, and not once nobody waits any more.
    expect(woken.slice(0, 2)).toEqual([0, 4_000]);
    expect(Math.max(...woken)).toBeLessThan(after);
  });
});

test.each([
  ["GET", { accept: "text/html,*/*" }, true],
  ["GET", { accept: "text/html", "sec-fetch-mode": "navigate" }, true],
  ["GET", { accept: "text/html", "sec-fetch-mode": "cors" }, false],
  ["GET", { accept: "*/*" }, false],
  ["GET", {}, false],
  ["POST", { accept: "text/html" }, false],
])("%s %o loads a page: %s", (method, headers, expected) => {
  expect(loadsPage(method, (name) => (headers as Record<string, string>)[name])).toBe(expected);
});

test("what a browser is shown is a page, and not to be kept", () => {
  const heads: [number, Pairs][] = [];
  const out = new PassThrough();
  const client = {
    method: "GET",
    head: (status: number, _: string, headers: Pairs) => void heads.push([status, headers]),
    out,
    end: () => void out.end(),
    abort: () => {},
  };
  refuse(client as unknown as Client, new Refusal(503, "the service starts", { retryAfter: 10, page: WAITING_PAGE }));
  expect(heads).toEqual([
    [
      503,
      expect.arrayContaining([
        ["Content-Type", "text/html; charset=utf-8"],
        ["Retry-After", "10"],
        ["Cache-Control", "no-store"],
      ]),
    ],
  ]);
  expect(String(out.read())).toBe(WAITING_PAGE);
});
