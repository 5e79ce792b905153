/** Logs that stay, in the real runtime, with its R2. */
import { gzipSync } from "node:zlib";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

const UID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const WORKER = `
  import { bucketOf } from "../../worker/edge/bucket.ts";
  import { openKeptLogs } from "../../worker/edge/kept-logs/kept-logs.ts";
  import { removeAllOutdated } from "../../worker/edge/kept-logs/portions.ts";
  import { Seal } from "../../worker/edge/sealed-chunks.ts";
  const seal = new Seal(["a secret of more than twenty-four characters"]);
  const cluster = {
    fetch: async () => Response.json({ days: 7, bytes: 1024 ** 3 }, { headers: { "x-skerry-grant": "1" } }),
  };
  export default {
    async fetch(request, env) {
      const bucket = bucketOf(env);
      const at = new URL(request.url).searchParams.get("outdated");
      if (at) return new Response(await removeAllOutdated(bucket, "default", Date.now() + Number(at)));
      return openKeptLogs(request, { clusterName: "default", cluster, bucket, seal });
    },
  };`;

let miniflare: Miniflare;
const ask = async (method: string, path: string, init: { headers?: Record<string, string>; body?: Uint8Array } = {}) =>
  (await miniflare.dispatchFetch(`http://c/skerry/logs${path}`, { method, ...init })).text();

beforeAll(async () => {
  const stdin = { contents: WORKER, resolveDir: import.meta.dirname };
  miniflare = await startWorker({ stdin }, {}, ["BUCKET"]);
});

afterAll(() => miniflare.dispose());

test("what nodes send comes back in order, and goes after its time", async () => {
  const { grant } = JSON.parse(await ask("POST", `/shop/web/grant?uid=${UID}`)) as { grant: string };
  const now = Date.now();
  for (const number of [1, 0, 1]) {
    const line = `${JSON.stringify({ log: `line ${number}\n`, stream: "stdout", time: new Date(now).toISOString() })}\n`;
    const sent = { headers: { authorization: `Bearer ${grant}` }, body: gzipSync(line) };
    expect(await ask("PUT", `/shop/web/${UID}/c/0/${number}?first=${now}&last=${now + number}`, sent)).toBe("{}");
  }
  expect(await ask("GET", "/shop/web")).toBe("line 0\nline 1\n");
  expect(await ask("GET", "/shop/web?tailLines=1")).toBe("line 1\n");
  expect(JSON.parse(await ask("GET", ""))).toEqual({ items: [{ namespace: "shop" }] });
  expect((JSON.parse(await ask("GET", "/shop")) as { items: object[] }).items).toMatchObject([
    { pod: "web", uid: UID, container: "c", attempt: 0 },
  ]);
  const day = 86_400_000;
  await ask("GET", `?outdated=${6 * day}`);
  expect(await ask("GET", "/shop/web")).toBe("line 0\nline 1\n");
  await ask("GET", `?outdated=${9 * day}`);
  expect(JSON.parse(await ask("GET", ""))).toEqual({ items: [] });
});
