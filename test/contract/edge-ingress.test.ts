/** Apps at the edge, in the real runtime: what becomes of bodies. */
import { gzipSync } from "node:zlib";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

const TEXT = "words ".repeat(100);

/** `/api` is the API's; an app answers with what was sent to it, or with something compressed. */
const WORKER = `
  import { openIngress } from "../../worker/edge/ingress.ts";
  import { OTHER_SIDE_DID_NOT_COME } from "../../worker/protocol/proxy.ts";
  const COMPRESSED = Uint8Array.from(atob("${gzipSync(TEXT).toString("base64")}"), (c) => c.charCodeAt(0));

  function serveApp(socket) {
    const parts = [];
    const answer = (headers, body) => {
      socket.send(JSON.stringify({ type: "response", status: 200, headers }));
      socket.send(body);
      socket.send(JSON.stringify({ type: "end" }));
    };
    socket.binaryType = "arraybuffer";
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") return void parts.push(new TextDecoder().decode(data));
      const { type, hasBody } = JSON.parse(data);
      if (type === "request" && !hasBody) answer([["content-encoding", "gzip"]], COMPRESSED);
      if (type === "end") answer([], new TextEncoder().encode("app: " + parts.join("")));
    });
  }

  const relays = {
    idFromName: (name) => name,
    get: (name) => ({
      fetch: async () => {
        const { 0: near, 1: far } = new WebSocketPair();
        if (name === "default/node-away") {
          far.accept();
          far.close(1011, OTHER_SIDE_DID_NOT_COME);
        } else serveApp(far);
        return { webSocket: near };
      },
    }),
  };
  const grant = { node: "node-a", stream: { id: "1", kind: "proxy", scheme: "http", address: "10.0.0.1", port: 80 } };
  const filters = { response: [{ set: [["x-added", "yes"]] }] };
  const cluster = {
    fetch: async (asked) => {
      const { path, tried } = await asked.json();
      if (path === "/away" && tried.length === 0)
        return Response.json({ to: "app", grant: { ...grant, node: "node-away" }, timeoutMs: 60_000 });
      return Response.json(
        path === "/api" ? { to: "api", counts: "once" } : { to: "app", grant, timeoutMs: 60_000, filters },
      );
    },
  };
  export default {
    async fetch(request) {
      const answer = await openIngress(request, "default", cluster, relays);
      return answer ?? new Response("api: " + (await request.text()));
    },
  };`;

let miniflare: Miniflare;

beforeAll(async () => {
  miniflare = await startWorker({ stdin: { contents: WORKER, resolveDir: import.meta.dirname } }, {});
});

afterAll(() => miniflare.dispose());

test.each([
  ["an app", "/"],
  ["the API", "/api"],
])("a small body comes to %s whole", async (_, path) => {
  const answer = await miniflare.dispatchFetch(`http://app.example.com${path}`, { method: "POST", body: "hello" });
  expect(await answer.text()).toBe(path === "/" ? "app: hello" : "api: hello");
});

test.each(["hello", ""])("what a node has not come for goes to another: POST %j", async (body) => {
  const url = "http://app.example.com/away";
  const answer = await miniflare.dispatchFetch(url, { method: "POST", ...(body && { body }) });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(`app: ${body}`);
});

test("what an app has compressed is not compressed again where its headers are changed", async () => {
  const answer = await miniflare.dispatchFetch("http://app.example.com/");
  expect(answer.headers.get("x-added")).toBe("yes");
  expect(await answer.text()).toBe(TEXT);
});
