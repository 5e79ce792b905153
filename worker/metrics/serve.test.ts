/** Who may tell what: a Cluster object that grants, and the store in memory. */
import { expect, test } from "vitest";
import { MINUTE_MS, type SeriesGrant } from "../lib/facts/metric-series.ts";
import { ApiError } from "../lib/status.ts";
import { askOver, reply } from "./ask.ts";
import { isMetrics, openMetrics } from "./serve.ts";
import { chunksInMemory, START } from "./testing/chunks.ts";

const SERIES = ["node", "shop/Deployment/web", "shop/others"];

function prepared() {
  const { chunks, clock } = chunksInMemory();
  clock.now = START + MINUTE_MS;
  const said = { node: "a", series: SERIES, pods: { u1: "shop/Deployment/web" }, everyMs: 600_000 };
  const cluster = {
    fetch: async ({ method, headers }: Request) =>
      headers.get("authorization") === "Bearer good"
        ? Response.json(method === "POST" ? said : {}, { headers: { "x-skerry-grant": "1" } })
        : new Response("no", { status: 403 }),
  };
  const ask = askOver({ ask: async (name, given) => reply(chunks, name, given) });
  const parts = (clusterName: string) => ({
    clusterName,
    cluster,
    ask,
    mac: async (text: string) => `mac-${text.length}-${text.at(-1)}`,
    now: () => clock.now,
  });
  const send = async (method: string, path: string, body?: unknown, { as = "good", clusterName = "default" } = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { authorization: `Bearer ${as}` };
    const request = new Request(`http://c/skerry/metrics${path}`, { method, headers, ...(text && { body: text }) });
    try {
      const answer = await openMetrics(request, parts(clusterName));
      return { code: answer.status, text: await answer.text() };
    } catch (error) {
      if (error instanceof ApiError) return { code: error.code, text: error.message };
      throw error;
    }
  };
  const granted = async () => (JSON.parse((await send("POST", "/grant")).text) as SeriesGrant).grant;
  return { clock, send, granted };
}

test("a node that was granted it tells of itself and its pods, and who may see it is told", async () => {
  const { send, granted } = prepared();
  const said = JSON.parse((await send("POST", "/grant")).text) as SeriesGrant;
  expect(said).toMatchObject({ pods: { u1: "shop/Deployment/web" }, everyMs: 600_000, requests: true });
  const grant = await granted();
  const series = { node: { cpu: [5] }, "shop/Deployment/web": { cpu: [3], memory: [1000] } };
  expect(await send("PUT", "", { grant, start: START, series })).toEqual({ code: 200, text: "{}" });
  const told = JSON.parse((await send("GET", "/namespaces/shop?range=1h")).text);
  expect(told.series["shop/Deployment/web"].memory.at(-1)).toBe(1000);
  expect(JSON.parse((await send("GET", "/nodes/a")).text).series.a.cpu.at(-2)).toBe(5);
  expect((await send("GET", "/nodes", undefined, { as: "bad" })).code).toBe(403);
  expect((await send("POST", "/grant", undefined, { as: "bad" })).code).toBe(403);
  expect((await send("GET", "/nodes?range=2y")).text).toContain("range must be one of 1h, 6h");
});

test("any node tells of requests, which are told of by name", async () => {
  const { send, granted } = prepared();
  const series = { "web/ingresses/site": { requests: [4], failed: [1], took2: [4] } };
  expect((await send("PUT", "", { grant: await granted(), start: START, series })).code).toBe(200);
  const { text } = await send("GET", "/namespaces/web?requests=ingresses%2Fsite");
  expect(JSON.parse(text).series["web/ingresses/site"].failed.at(-1)).toBe(1);
  expect(JSON.parse((await send("GET", "/namespaces/web")).text).series).toEqual({});
});

test("requests are not told of as a workload's, which others may see", async () => {
  const { send, granted } = prepared();
  const series = { node: { cpu: [5] }, "web/ingresses/site": { requests: [4] } };
  await send("PUT", "", { grant: await granted(), start: START, series });
  for (const more of ["", "&range=7d"]) {
    const { code, text } = await send("GET", `/namespaces/web?workload=ingresses%2Fsite${more}`);
    expect([code, text]).toEqual([400, expect.stringContaining("KIND/NAME")]);
  }
  expect((await send("GET", "/namespaces/web?workload=Deployment%2Fsite")).code).toBe(200);
});

test("a grant that is another cluster's, over, changed or none is refused", async () => {
  const { send, granted, clock } = prepared();
  const grant = await granted();
  const body = { start: START, series: { node: { cpu: [5] } } };
  for (const bad of [undefined, "", "x.y", `${grant}x`, grant.replace(".", "A.")])
    expect((await send("PUT", "", { ...body, grant: bad })).code).toBe(401);
  expect((await send("PUT", "", { ...body, grant }, { clusterName: "other" })).code).toBe(401);
  clock.now += 7 * 3_600_000;
  expect((await send("PUT", "", { ...body, grant })).code).toBe(401);
});

test.each([
  ["not JSON", "{", "the body must be a JSON object"],
  ["no time", { series: {} }, "start must be a whole minute"],
  ["no minute", { start: START + 1, series: {} }, "start must be a whole minute"],
  ["no series", { start: START, series: [] }, "series must be an object"],
  ["another's", { start: START, series: { "shop/Pod/x": { cpu: [1] } } }, "is not of this node"],
  ["what objects have", { start: START, series: { constructor: { cpu: [1] } } }, "is not of this node"],
  [
    "requests of what has none",
    { start: START, series: { "shop/secrets/x": { requests: [1] } } },
    "is not of this node",
  ],
  ["another path's", { start: START, series: { "shop/services/../x": { requests: [1] } } }, "is not of this node"],
  ["requests of a workload", { start: START, series: { "shop/Deployment/web": { requests: [1] } } }, "unknown measure"],
  ["memory of a Service", { start: START, series: { "shop/services/web": { memory: [1] } } }, "unknown measure"],
  ["an unknown measure", { start: START, series: { node: { speed: [1] } } }, "unknown measure"],
  ["no numbers", { start: START, series: { node: { cpu: ["1"] } } }, "must be 1 to 120 numbers"],
  ["negative", { start: START, series: { node: { cpu: [-1] } } }, "must be 1 to 120 numbers"],
  ["too many", { start: START, series: { node: { cpu: Array(121).fill(1) } } }, "must be 1 to 120 numbers"],
  ["the future", { start: START + 3_600_000, series: { node: { cpu: [1] } } }, "within the last day"],
  ["long ago", { start: START - 2 * 86_400_000, series: { node: { cpu: [1] } } }, "within the last day"],
])("refused: %s", async (_, body, why) => {
  const { send, granted } = prepared();
  const sent = typeof body === "string" ? body : { grant: await granted(), ...body };
  const { code, text } = await send("PUT", "", sent);
  expect([code, text]).toEqual([400, expect.stringContaining(why)]);
});

test("paths that are none are not taken, and other methods are refused", async () => {
  const { send } = prepared();
  const are = ["/skerry/metrics", "/skerry/metrics/grant", "/skerry/metrics/nodes/n", "/skerry/metrics/namespaces/a"];
  expect(are.map(isMetrics)).toEqual([true, true, true, true]);
  expect(["/skerry/metrics/other", "/skerry/metrics/nodes/n/x", "/metrics"].map(isMetrics)).toEqual(
    Array(3).fill(false),
  );
  expect((await send("DELETE", "")).code).toBe(405);
});
