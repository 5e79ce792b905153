/** Requests to groups that may be another server's, as they come to the Cluster object, in the real runtime. */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

const WORKER = `
  import { openAggregated } from "../../worker/edge/aggregated.ts";
  export class Cluster {
    async fetch(request) {
      return new Response(request.method + " " + (await request.text()));
    }
  }
  export default {
    fetch(request, env) {
      const cluster = env.CLUSTER.get(env.CLUSTER.idFromName("default"));
      return openAggregated(request, (asked) => cluster.fetch(asked), "default", undefined);
    },
  };`;

let miniflare: Miniflare;
let url: URL;

beforeAll(async () => {
  miniflare = await startWorker(
    { stdin: { contents: WORKER, resolveDir: import.meta.dirname } },
    { CLUSTER: "Cluster" },
  );
  url = await miniflare.ready;
});

afterAll(() => miniflare.dispose());

const ask = (method: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { "content-length": body.length };
    const asked = request(new URL("/apis/shop.example.com/v1/roses", url), { method, headers });
    asked.once("response", (response) => resolve(text(response))).once("error", reject);
    asked.end(body);
  });

test.each(["", "red"])("a GET comes as it is, also where it names a length: %j", async (body) => {
  expect(await ask("GET", body)).toBe(`GET ${body}`);
});

test.each(["POST", "PUT", "PATCH", "DELETE"])("a %s comes with its body, also with none", async (method) => {
  expect(await ask(method, "red")).toBe(`${method} red`);
  expect(await ask(method, "")).toBe(`${method} `);
});
