import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { effects, type Timers } from "../effects.ts";
import { get, HOST, listening, portOf, raw, startProxy, type TestProxy } from "./testing/proxy.ts";

let proxy: TestProxy;
beforeEach(async () => {
  proxy = await startProxy();
});
afterEach(() => proxy.stop());

const value = (headers: [string, string][], name: string) =>
  headers.filter(([own]) => own.toLowerCase() === name).map(([, each]) => each);

describe("requests and answers", () => {
  test("go through as they are, without what speaks of a connection alone", async () => {
    await proxy.program((request, response) => {
      response.writeHead(
        207,
        "Some",
        [
          ["X-One", "1"],
          ["x-one", "2"],
          ["Keep-Alive", "timeout=9"],
        ].flat(),
      );
      response.end(JSON.stringify([request.method, request.url, request.headers, request.rawHeaders]));
    });
    const headers = { "X-Case": "Kept", connection: "close, X-Mine", "x-mine": "1", te: "trailers", cookie: "a=b" };
    const got = await get(proxy.port, "/a%20b/%2e%2E/c?d=/../e", { method: "DELETE", headers });
    expect(got.status).toBe(207);
    expect(value(got.headers, "x-one")).toEqual(["1", "2"]);
    expect(value(got.headers, "keep-alive")).toEqual([]);
    const [method, url, seen, rawSeen] = JSON.parse(got.text);
    expect([method, url]).toEqual(["DELETE", "/c?d=/../e"]);
    expect(seen).toMatchObject({ host: HOST, "x-case": "Kept", cookie: "a=b" });
    expect(seen).not.toHaveProperty("x-mine");
    expect(seen).not.toHaveProperty("te");
    expect(rawSeen).toContain("X-Case");
  });

  test("the program learns who asked, and nobody can say it for another", async () => {
    await proxy.program((request, response) => response.end(JSON.stringify(request.headers)));
    const lies = { "x-forwarded-for": "192.0.2.9", "x-forwarded-proto": "https", forwarded: "for=192.0.2.9" };
    const asked = async () =>
      JSON.parse((await get(proxy.port, "/", { headers: { ...lies, host: `${HOST}:8080` } })).text);
    expect(await asked()).toMatchObject({
      host: `${HOST}:8080`,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": `${HOST}:8080`,
      "x-forwarded-proto": "http",
      "x-forwarded-port": String(proxy.port),
      "x-real-ip": "127.0.0.1",
      forwarded: `for=127.0.0.1;host="${HOST}:8080";proto=http`,
    });
    proxy.config.trusted = ["127.0.0.0/8", "nonsense"];
    proxy.forwarder.configure(proxy.config);
    expect(await asked()).toMatchObject({
      "x-forwarded-for": "192.0.2.9, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-real-ip": "192.0.2.9",
    });
  });

  test("bodies stream both ways, with and without a length", async () => {
    await proxy.program((request, response) => request.pipe(response));
    const text = "0123456789".repeat(300_000);
    expect((await get(proxy.port, "/", { method: "POST" }, text)).text).toBe(text);
    const headers = { "content-length": String(text.length) };
    expect((await get(proxy.port, "/", { method: "PUT", headers }, text)).text).toBe(text);
  });

  test("a slow reader holds the program back", async () => {
    let written = 0;
    const chunk = Buffer.alloc(256 * 1024);
    const full = Promise.withResolvers<void>();
    await proxy.program((_, response) => {
      const more = () => {
        while (response.write(chunk)) written += chunk.length;
        full.resolve();
      };
      response.on("drain", more);
      more();
    });
    const socket = connect(proxy.port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await once(socket, "readable"); // and nothing is read
    await full.promise;
    let before = -1;
    for (let same = 0; same < 5; ) {
      await new Promise((resolve) => setImmediate(resolve));
      same = before === written ? same + 1 : 0;
      before = written;
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
  });

  test("events come as they are sent", async () => {
    const sent: (() => void)[] = [];
    await proxy.program((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      sent.push(() => response.write("data: one\n\n"));
    });
    const socket = connect(proxy.port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    while (!text.includes("event-stream")) await once(socket, "data"); // the head, before there is any event
    expect(text).not.toContain("data: one");
    sent[0]?.();
    while (!text.includes("data: one")) await once(socket, "data");
    socket.destroy();
  });

  test("HEAD, 204 and trailers", async () => {
    await proxy.program((request, response) => {
      if (request.url === "/none") return void response.writeHead(204).end();
      response.writeHead(200, { "content-type": "text/plain" });
      if (request.method === "HEAD") return void response.end();
      response.write("body");
      response.addTrailers({ "x-sum": "9" });
      response.end();
    });
    expect(await get(proxy.port, "/", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
    expect(await get(proxy.port, "/none")).toMatchObject({ status: 204, text: "" });
    expect(await get(proxy.port)).toMatchObject({ text: "body", trailers: [["x-sum", "9"]] });
  });

  test("an answer that breaks off is not made to look whole", async () => {
    await proxy.program((_, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => response.destroy());
    });
    await expect(get(proxy.port)).rejects.toThrow();
  });

  test("a client that goes away ends the program's request", async () => {
    const [begun, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await proxy.program((request) => {
      request.socket.once("close", () => gone.resolve());
      begun.resolve();
    });
    const socket = connect(proxy.port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await begun.promise;
    socket.destroy();
    await gone.promise;
  });
});

describe("refusals", () => {
  const status = async (lines: string) => (await raw(proxy.port, lines)).split("\r\n")[0];
  const seen: string[] = [];
  beforeEach(async () => {
    seen.length = 0;
    await proxy.program((request, response) => {
      seen.push(request.url ?? "");
      response.end("ok");
    });
  });

  test.each([
    [
      "both lengths",
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      "both, the other way",
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["two lengths", `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
    ["a coding that hides", `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 501],
    [
      "chunked not last",
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      "a coding before",
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      501,
    ],
    ["chunked in HTTP/1.0", `POST / HTTP/1.0\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ["a space before the colon", `GET / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length : 5\r\n\r\nabcde`, 400],
    [
      "a bad chunk",
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["two hosts", `GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: other\r\nConnection: close\r\n\r\n`, 400],
    ["a host that is none", "GET / HTTP/1.1\r\nHost: a/b@c\r\nConnection: close\r\n\r\n", 400],
    ["no path", `GET x HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`, 400],
    ["TRACE", `TRACE / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`, 405],
    ["headers that are too large", `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: ${"x".repeat(70_000)}\r\n\r\n`, 431],
  ])("%s", async (_, text, code) => {
    expect(await status(text)).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
    expect(seen).toEqual([]);
  });

  test("an absolute target names the host", async () => {
    expect(await status(`GET http://${HOST}/x HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n`)).toContain("200");
    expect(await status(`GET http://other/x HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)).toContain("404");
    expect(seen).toEqual(["/x"]);
  });

  test("HTTP/1.0 is answered", async () => {
    expect(await raw(proxy.port, `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 200 [\s\S]*\r\n\r\nok$/,
    );
  });

  test("what meets no rule, a Service that is missing, and one without endpoints", async () => {
    expect(await get(proxy.port, "/", { headers: { host: "other" } })).toMatchObject({
      status: 404,
      text: "no rule is for this host and path\n",
    });
    proxy.lead([]);
    expect(await get(proxy.port)).toMatchObject({ status: 503, text: "no endpoint of the service is ready\n" });
    proxy.config.backends = {};
    proxy.forwarder.configure(proxy.config);
    expect((await get(proxy.port)).status).toBe(503);
  });

  test("a program that does not answer in time", async () => {
    const server = await proxy.program(() => {});
    proxy.lead([portOf(server)], "http", { timeoutMs: 50 });
    expect(await get(proxy.port)).toMatchObject({ status: 504, text: "the service did not answer within 0.05 s\n" });
    proxy.lead([portOf(server)], "http", { timeoutMs: 50 });
    expect((await get(proxy.port, "/", { method: "POST" }, "x")).status).toBe(504);
  });

  test("HTTP is sent on to HTTPS where it should be", async () => {
    proxy.lead([1], "http", { redirects: true });
    proxy.forwarder.securePort = 8443;
    const got = await get(proxy.port, "/a?b", { method: "POST", headers: { host: `${HOST}:8080` } }, "x");
    expect(got.status).toBe(308);
    expect(value(got.headers, "location")).toEqual([`https://${HOST}:8443/a?b`]);
  });
});

describe("endpoints", () => {
  const named = (name: string) => (_: unknown, response: { end(text: string): void }) => response.end(name);
  /** Where nobody listens. */
  const CLOSED_PORT = 1;

  test("are taken in turn", async () => {
    const ports = await Promise.all(["a", "b"].map(async (name) => portOf(await proxy.program(named(name)))));
    proxy.lead(ports);
    const counts: Record<string, number> = {};
    for (let i = 0; i < 10; i++) {
      const { text } = await get(proxy.port);
      counts[text] = (counts[text] ?? 0) + 1;
    }
    expect(counts).toEqual({ a: 5, b: 5 });
  });

  test("one that is busy gets less", async () => {
    const waiting: { end(text: string): void }[] = [];
    const slow = portOf(await proxy.program((_, response) => void waiting.push(response)));
    const fast = portOf(await proxy.program(named("fast")));
    proxy.lead([slow]);
    const late = get(proxy.port);
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    proxy.lead([slow, fast]);
    for (let i = 0; i < 5; i++) expect((await get(proxy.port)).text).toBe("fast");
    waiting[0]?.end("slow");
    expect((await late).text).toBe("slow");
  });

  test("one that refuses connections costs nobody an answer, whatever is asked", async () => {
    const dead = CLOSED_PORT;
    const alive = portOf(await proxy.program((request, response) => request.pipe(response)));
    proxy.lead([dead, alive]);
    for (let i = 0; i < 6; i++)
      expect(await get(proxy.port, "/", { method: "POST" }, "hello")).toMatchObject({ status: 200, text: "hello" });
  });

  test("where none can be reached it is said", async () => {
    proxy.lead([CLOSED_PORT]);
    expect(await get(proxy.port)).toMatchObject({
      status: 502,
      text: "no endpoint of the service answers: connection refused\n",
    });
  });

  test("where none can be reached others are waited for", async () => {
    const waits = Promise.withResolvers<void>();
    const after: Timers["after"] = (ms, body) => {
      if (ms !== 1_000) return effects.after(ms, body);
      waits.resolve();
      return () => {};
    };
    const patient = await startProxy({ ...effects, after });
    patient.lead([CLOSED_PORT]);
    const later = get(patient.port);
    await waits.promise;
    await patient.program(named("alive"));
    expect((await later).text).toBe("alive");
    await patient.stop();
  });

  test("a broken connection is tried again where that does no harm, and told where it might", async () => {
    const breaking = portOf(await listening(createServer((socket) => socket.once("data", () => socket.destroy()))));
    let asked = 0;
    const alive = portOf(
      await proxy.program((_, response) => {
        asked++;
        response.end("alive");
      }),
    );
    proxy.lead([breaking, alive]);
    for (let i = 0; i < 3; i++) expect((await get(proxy.port)).text).toBe("alive");
    expect(asked).toBe(3);
    proxy.lead([breaking]);
    const got = await get(proxy.port, "/", { method: "POST" }, "x");
    expect(got).toMatchObject({ status: 502, text: expect.stringContaining("broke off") });
  });

  test("connections that wait for more are closed when their endpoint is gone", async () => {
    const server = await proxy.program(named("a"));
    const closed = Promise.withResolvers<void>();
    server.on("connection", (socket) => socket.once("close", () => closed.resolve()));
    expect((await get(proxy.port)).text).toBe("a");
    proxy.lead([]);
    await closed.promise;
  });

  test("an open request goes on when its endpoint is gone", async () => {
    const begun = Promise.withResolvers<{ end(text: string): void }>();
    await proxy.program((_, response) => {
      response.write("first ");
      begun.resolve(response);
    });
    const got = get(proxy.port);
    const response = await begun.promise;
    proxy.lead([]);
    response.end("last");
    expect((await got).text).toBe("first last");
  });
});

describe("what is counted", () => {
  const figures = () => proxy.forwarder.counts.figures();

  test("is how each answer began, of the Service, of the rule's own and of who answered; that of a client that has gone is none, and took as long", async () => {
    let hang = () => {};
    const hangs = new Promise<void>((resolve) => {
      hang = resolve;
    });
    const server = await proxy.program(({ url }, response) => {
      if (url === "/hangs") return hang();
      response.writeHead(Number(url?.slice(1))).end();
    });
    const ports = [portOf(server), portOf(await proxy.program((_, response) => response.writeHead(200).end()))];
    const route = { ingress: "default/site", route: "default/route" };
    proxy.lead(ports.slice(0, 1), "http", route);
    for (const status of [200, 404, 500, 503]) expect((await get(proxy.port, `/${status}`)).status).toBe(status);
    const client = connect(proxy.port, "127.0.0.1");
    client.write(`GET /hangs HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`);
    await hangs;
    proxy.lead(ports, "http", route);
    client.destroy();
    while (figures().services["default/app"]?.pending !== 0) await effects.sleep(5);
    const { services, ingresses, httproutes = {}, pods } = figures();
    const each = [services["default/app"], ingresses["default/site"], httproutes["default/route"], pods["127.0.0.1"]];
    for (const told of each) {
      expect(told?.failedPerSecond).toBe(2 / 30);
      expect(told?.took?.reduce((sum, count) => sum + count, 0)).toBe(5);
    }
  });

  test("is the proxy's own refusal, and each pod that did not answer", async () => {
    const gone = await listening(createServer());
    const port = portOf(gone);
    await new Promise<void>((resolve) => gone.close(() => resolve()));
    proxy.lead([port]);
    expect((await get(proxy.port)).status).toBe(502);
    proxy.lead([]);
    expect((await get(proxy.port)).status).toBe(503);
    expect(figures().services["default/app"]?.failedPerSecond).toBe(2 / 30);
    expect(figures().pods["127.0.0.1"]?.failedPerSecond).toBe(1 / 30);
  });
});
