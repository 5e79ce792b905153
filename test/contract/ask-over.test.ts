/** The cluster's own requests over a stream, in the real runtime. */
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

/** Asks over a socket, in time or not, and tells what came at its other end, and how the asking ended. */
const WORKER = `
  import { askOver } from "../../worker/edge/proxy.ts";
  export default {
    async fetch(request) {
      const { 0: near, 1: far } = new WebSocketPair();
      const heard = [];
      far.accept();
      far.addEventListener("message", ({ data }) => heard.push(JSON.parse(data).type));
      const closed = new Promise((resolve) => far.addEventListener("close", resolve));
      const time = new AbortController();
      const isLate = new URL(request.url).pathname === "/late";
      if (isLate) time.abort(new Error("too late"));
      const asked = askOver(near, { method: "GET", path: "/", headers: [], signal: time.signal });
      const ended = asked.then(({ status }) => "answered " + status, ({ message }) => message);
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (!isLate) time.abort(new Error("over"));
      await closed;
      far.close();
      return Response.json({ heard, ended: isLate ? await ended : "" });
    },
  };`;

let miniflare: Miniflare;

beforeAll(async () => {
  miniflare = await startWorker({ stdin: { contents: WORKER, resolveDir: import.meta.dirname } }, {});
});

afterAll(() => miniflare.dispose());

const ask = async (path: string) => (await miniflare.dispatchFetch(`http://worker${path}`)).json();

test("a request whose time is over before the node has come is not sent", async () => {
  expect(await ask("/late")).toEqual({ heard: [], ended: "too late" });
});

test("a request whose time ends while it waits closes its socket", async () => {
  expect(await ask("/waiting")).toMatchObject({ heard: ["request"] });
});
