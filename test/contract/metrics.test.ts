/** Figures over time in the real runtime, with their object, behind the Worker; the Cluster object knows tokens alone. */
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

const WORKER = `
  import worker from "../../worker/index.ts";
  export { Metrics } from "../../worker/metrics.ts";
  const stub = (name) => ({
    async fetch({ method, headers }) {
      if (headers.get("authorization") !== "Bearer of-" + name) return Response.json({ message: "no" }, { status: 403 });
      const said = { node: "n", series: ["node", "shop/Deployment/web"], pods: {}, everyMs: 600000 };
      return Response.json(method === "POST" ? said : {}, { headers: { "x-skerry-grant": "1" } });
    },
  });
  const CLUSTER = { idFromName: (name) => name, get: stub };
  const SKERRY_SECRET = "a secret of more than twenty-four characters";
  export default { fetch: (request, env) => worker.fetch(request, { ...env, CLUSTER, SKERRY_SECRET }) };`;
const MINUTE_MS = 60_000;

let miniflare: Miniflare;
beforeAll(async () => {
  const stdin = { contents: WORKER, resolveDir: import.meta.dirname };
  miniflare = await startWorker({ stdin }, { METRICS: "Metrics" });
});
afterAll(() => miniflare.dispose());

async function ask(method: string, path: string, body?: unknown, cluster = "default") {
  const answer = await miniflare.dispatchFetch(`http://c${path}`, {
    method,
    headers: { authorization: `Bearer of-${cluster}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { code: answer.status, body: (await answer.json()) as Record<string, never> };
}

test("what a node sends is told of, by workload, in its own cluster alone; what it may not tell is refused in the API's words", async () => {
  const { grant } = (await ask("POST", "/skerry/metrics/grant")).body;
  const now = Date.now();
  const start = now - (now % MINUTE_MS) - 3 * MINUTE_MS;
  const series = { node: { cpu: [1, 2, 3] }, "shop/Deployment/web": { memory: [10, null, 30] } };
  expect((await ask("PUT", "/skerry/metrics", { grant, start, series })).code).toBe(200);
  const nodes = (await ask("GET", "/skerry/metrics/nodes?range=6h")).body as Record<string, Record<string, unknown>>;
  expect(nodes.series?.n).toMatchObject({ cpu: expect.arrayContaining([1, 2, 3]) });
  const path = "/skerry/metrics/namespaces/shop?workload=Deployment%2Fweb";
  const told = (await ask("GET", path)).body as Record<string, unknown>;
  expect(told.series).toMatchObject({ "shop/Deployment/web": { memory: expect.arrayContaining([10, 30]) } });
  expect((await ask("GET", "/clusters/other/skerry/metrics/nodes", undefined, "other")).body.series).toEqual({});
  expect((await ask("PUT", "/clusters/other/skerry/metrics", { grant, start, series })).code).toBe(401);
  const asked = { "shop/services/web": { requests: [1, 0, 4], failed: [0, 0, 1], took3: [1, null, 4] } };
  expect((await ask("PUT", "/skerry/metrics", { grant, start, series: asked })).code).toBe(200);
  const requests = (await ask("GET", "/skerry/metrics/namespaces/shop?requests=services/web")).body;
  expect(requests.series).toMatchObject({
    "shop/services/web": { requests: expect.arrayContaining([1, 0, 4]), took3: expect.arrayContaining([1, 0, 4]) },
  });
  expect(Object.keys((await ask("GET", "/skerry/metrics/namespaces/shop")).body.series ?? {})).toEqual([
    "shop/Deployment/web",
  ]);
  const wrong = await ask("PUT", "/skerry/metrics", { grant, start, series: { "x/Pod/y": {} } });
  expect(wrong).toMatchObject({ code: 400, body: { kind: "Status", reason: "BadRequest" } });
});
