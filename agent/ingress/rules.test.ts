/** What rules of gateways have the proxy do with requests and answers. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { get, HOST, listening, portOf, startProxy, type TestProxy } from "./testing/proxy.ts";

let proxy: TestProxy;
beforeEach(async () => {
  proxy = await startProxy();
});
afterEach(() => proxy.stop());

const value = (headers: [string, string][], name: string) =>
  headers.filter(([own]) => own.toLowerCase() === name).map(([, each]) => each);

test("requests and answers are changed", async () => {
  const server = await proxy.program(({ url, headers }, response) => {
    response.setHeader("x-secret", "s");
    response.end(JSON.stringify([url, headers]));
  });
  proxy.lead([portOf(server)], "http", {
    path: "/old",
    filters: {
      rewrite: { host: "other.example.com", path: { prefix: "/new" } },
      request: [{ set: [["x-set", "1"]], remove: ["x-gone"] }],
      response: [{ add: [["x-added", "2"]], remove: ["x-secret"] }],
    },
  });
  const got = await get(proxy.port, "/old/a?b", { headers: { "x-gone": "g" } });
  const [url, headers] = JSON.parse(got.text);
  expect(url).toBe("/new/a?b");
  expect(headers).toMatchObject({ host: "other.example.com", "x-forwarded-host": HOST, "x-set": "1" });
  expect(headers).not.toHaveProperty("x-gone");
  expect([value(got.headers, "x-added"), value(got.headers, "x-secret")]).toEqual([["2"], []]);
});

test("requests are sent on elsewhere, and those that lead to no service are told so", async () => {
  proxy.lead([], "http", { filters: { redirect: { status: 303, host: "b.com", port: 8443, scheme: "https" } } });
  const moved = await get(proxy.port, "/x?y");
  expect([moved.status, value(moved.headers, "location"), moved.text]).toEqual([303, ["https://b.com:8443/x?y"], ""]);
  proxy.lead([], "http", { shares: [{ weight: 1 }] });
  expect((await get(proxy.port)).status).toBe(500);
  proxy.lead([], "http", { shares: [] });
  expect((await get(proxy.port)).status).toBe(500);
});

test("pages of other origins hear what they may do, of the proxy and not of the program", async () => {
  const server = await proxy.program((_, response) => {
    response.setHeader("access-control-allow-origin", "https://program.com");
    response.end("here");
  });
  const cors = { origins: ["https://a.com"], methods: ["PUT"], maxAgeSeconds: 5 };
  proxy.lead([portOf(server)], "http", { filters: { cors } });
  const headers = { origin: "https://a.com", "access-control-request-method": "PUT" };
  const first = await get(proxy.port, "/", { method: "OPTIONS", headers });
  expect([first.status, first.text, value(first.headers, "access-control-allow-methods")]).toEqual([200, "", ["PUT"]]);
  const then = await get(proxy.port, "/", { headers });
  expect([then.text, value(then.headers, "access-control-allow-origin")]).toEqual(["here", ["https://a.com"]]);
  expect((await get(proxy.port, "/", { method: "OPTIONS" })).text).toBe("here");
});

test("rules of a port are its own", async () => {
  const server = await proxy.program((_, response) => response.end("all"));
  proxy.lead([portOf(server)]);
  proxy.forwarder.configure({ ...proxy.config, byPort: { 80: { rules: {}, defaults: {} } } });
  expect((await get(proxy.port)).status).toBe(404);
  proxy.forwarder.configure({ ...proxy.config, byPort: { 81: { rules: {}, defaults: {} } } });
  expect((await get(proxy.port)).text).toBe("all");
});

test("a Service that listens in gets all of a request, and its answer goes nowhere", async () => {
  const heard = Promise.withResolvers<string>();
  const read = async (request: IncomingMessage) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    return text;
  };
  const listener = await listening(
    createServer(async (request, response) => {
      heard.resolve(`${request.method} ${request.url} ${await read(request)}`);
      response.end("not for you");
    }),
  );
  const server = await proxy.program(async (request, response) => response.end(`answer to ${await read(request)}`));
  const target = { namespace: "default", service: "listener", port: 80 };
  proxy.lead([portOf(server)], "http", { filters: { mirrors: [{ target }] } });
  const endpoints = [{ address: "127.0.0.1", port: portOf(listener) }];
  Object.assign(proxy.config.backends, { "default/listener:80": { protocol: "http", endpoints } });
  proxy.forwarder.configure(proxy.config);
  const got = await get(proxy.port, "/said", { method: "POST" }, "words");
  expect(got.text).toBe("answer to words");
  expect(await heard.promise).toBe("POST /said words");
  listener.closeAllConnections();
  listener.close();
  await once(listener, "close");
  expect((await get(proxy.port, "/again", { method: "POST" }, "more")).text).toBe("answer to more");
});

test("who knows that HTTP/2 is spoken in the clear needs no TLS for it", async () => {
  await proxy.http2Program((stream, headers) => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(`${headers[":path"]}`);
  });
  const session = connectHttp2(`http://127.0.0.1:${proxy.port}`);
  const stream = session.request({ ":path": "/pkg.Echo/Say", ":authority": HOST });
  let text = "";
  let trailers: Record<string, unknown> = {};
  stream.on("data", (chunk) => {
    text += chunk;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  await once(stream, "end");
  expect([text, trailers["grpc-status"]]).toEqual(["/pkg.Echo/Say", "0"]);
  session.close();
});
