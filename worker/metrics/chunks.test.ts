import { expect, test } from "vitest";
import {
  HOUR_MS,
  isAskedKey,
  type Measure,
  MINUTE_MS,
  REQUEST_MEASURES,
  type Series,
  type SeriesByKey,
} from "../lib/facts/metric-series.ts";
import { MAX_NODES, MAX_ROWS_PER_NODE } from "./chunks.ts";
import { MAX_ASKED, MAX_SERIES, setSlot } from "./slots.ts";
import { chunksInMemory, START } from "./testing/chunks.ts";

const DAY_MS = 24 * HOUR_MS;
const cpu = (...values: (number | null)[]): Series => ({ cpu: values });
const ends = ({ cpu = [] }: Series = {}) => [cpu.at(-2), cpu.at(-1)];

test("nodes' figures are told by the minute, and told again they are the same", () => {
  const { chunks, clock } = chunksInMemory();
  const sent = { start: START - 2 * MINUTE_MS, series: { node: cpu(100, null, 300) } };
  clock.now = START + MINUTE_MS;
  for (const _ of [1, 2]) chunks.store("a", sent);
  chunks.store("b", { start: START, series: { node: cpu(7) } });
  const { start, stepMs, series } = chunks.nodes("1h");
  expect([start, stepMs]).toEqual([START + 2 * MINUTE_MS - HOUR_MS, MINUTE_MS]);
  expect(series.a?.cpu?.slice(-4)).toEqual([100, null, 300, null]);
  expect(series.b?.cpu?.slice(-4)).toEqual([null, null, 7, null]);
  expect(Object.keys(chunks.nodes("1h", "b").series)).toEqual(["b"]);
});

test("a workload is the sum of what its nodes told, up to when all that still do have told", () => {
  const { chunks, clock } = chunksInMemory();
  const of = (...values: number[]): SeriesByKey => ({ node: cpu(...values), "shop/Deployment/web": cpu(...values) });
  clock.now = START + 10 * MINUTE_MS;
  chunks.store("a", { start: START, series: of(1, 1, 1, 1) });
  chunks.store("b", { start: START, series: { ...of(2, 2), "other/Pod/x": cpu(9, 9) } });
  const { start, series } = chunks.namespace("1h", "shop");
  expect(start + HOUR_MS).toBe(START + 2 * MINUTE_MS);
  expect(Object.keys(series)).toEqual(["shop/Deployment/web"]);
  expect(ends(series["shop/Deployment/web"])).toEqual([3, 3]);
  expect(chunks.namespace("1h", "sho").series).toEqual({});
  expect(chunks.namespace("1h", "other", "Pod/x").series["other/Pod/x"]?.cpu?.at(-1)).toBe(9);
  // A node that is gone is not waited for.
  clock.now = START + 50 * MINUTE_MS;
  chunks.store("a", { start: START + 49 * MINUTE_MS, series: of(5) });
  expect(ends(chunks.namespace("1h", "shop").series["shop/Deployment/web"])).toEqual([null, 5]);
});

test("a day is told by five minutes, and a month by the hour: what ran for a part of one counts for that part", () => {
  const { chunks, clock } = chunksInMemory();
  const minutes = Array.from({ length: 60 }, () => 60);
  clock.now = START + HOUR_MS;
  chunks.store("a", { start: START, series: { node: cpu(...minutes), "shop/Job/once": cpu(60, 60, 60) } });
  expect(chunks.nodes("1d").series.a?.cpu?.filter((value) => value !== null)).toEqual(Array(12).fill(60));
  expect(chunks.nodes("30d").stepMs).toBe(HOUR_MS);
  expect(chunks.nodes("30d").series.a?.cpu?.filter((value) => value !== null)).toEqual([60]);
  expect(chunks.namespace("7d", "shop").series["shop/Job/once"]?.cpu?.filter((value) => value !== null)).toEqual([3]);
});

test("rows are bounded, those of nodes that are gone too, and an hour of pushes writes few", () => {
  const { chunks, clock, sql } = chunksInMemory();
  const rows = (node: string) => sql.all("SELECT 1 FROM chunks WHERE node = ?", node).length;
  chunks.store("gone", { start: START, series: { node: cpu(1) } });
  for (let hour = 0; hour < 40 * 24; hour++) {
    clock.now = START + hour * HOUR_MS + MINUTE_MS;
    chunks.store("a", { start: clock.now - HOUR_MS, series: { node: cpu(...Array(60).fill(hour)) } });
    expect(rows("a")).toBeLessThanOrEqual(MAX_ROWS_PER_NODE);
  }
  expect([rows("gone"), rows("a")]).toEqual([0, expect.any(Number)]);
  expect(chunks.nodes("30d").series.a?.cpu?.filter((value) => value !== null).length).toBeGreaterThan(29 * 24);
  expect(clock.now - START).toBeGreaterThan(30 * DAY_MS);
});

test("more series than a row has room for are the others of their namespace", () => {
  const { chunks, clock } = chunksInMemory();
  const many = Object.fromEntries(Array.from({ length: MAX_SERIES + 20 }, (_, i) => [`shop/Pod/p${i}`, cpu(1)]));
  clock.now = START + MINUTE_MS;
  chunks.store("a", { start: START, series: { node: cpu(200), ...many } });
  const { series } = chunks.namespace("1h", "shop");
  expect(Object.keys(series).length).toBe(30);
  const total = Object.values(series).reduce((sum, { cpu = [] }) => sum + (cpu.at(-1) ?? 0), 0);
  expect(total).toBe(MAX_SERIES + 20);
});

test("so many nodes are kept, and no more", () => {
  const { chunks, sql } = chunksInMemory();
  sql.transaction(() => {
    for (let i = 0; i < MAX_NODES; i++)
      sql.run("INSERT INTO chunks (node, grain, start, until, body) VALUES (?, 60000, ?, 0, '{}')", `n${i}`, START);
  });
  expect(() => chunks.store("more", { start: START, series: { node: cpu(1) } })).toThrow("10000 nodes");
  chunks.store("n1", { start: START, series: { node: cpu(1) } });
});

test("requests are the sum of what nodes told, their classes too, by minutes and by the hour; they are no workload", () => {
  const { chunks, clock } = chunksInMemory();
  const of = (requests: number[], more: Series = {}): Series => ({ requests, failed: requests.map(() => 0), ...more });
  const idle = { node: cpu(...Array(60).fill(1)) };
  clock.now = START + HOUR_MS;
  const key = "shop/services/web";
  chunks.store("a", {
    start: START,
    series: { ...idle, [key]: of([...Array(59).fill(0), 6], { took4: [...Array(59).fill(null), 6] }) },
  });
  chunks.store("b", { start: START, series: { ...idle, [key]: of(Array(60).fill(1), { took0: Array(60).fill(1) }) } });
  expect(chunks.namespace("1h", "shop").series).toEqual({});
  const { [key]: web = {} } = chunks.namespace("1h", "shop", "services/web").series;
  expect([web.requests, web.took0, web.took4].map((values) => values?.slice(-2))).toEqual([
    [1, 7],
    [1, 1],
    [0, 6],
  ]);
  const last = (range: "1d" | "7d") => {
    const { [key]: told = {} } = chunks.namespace(range, "shop", "services/web").series;
    return [told.requests, told.failed, told.took0, told.took4].map((values) => values?.at(-1));
  };
  expect(last("1d")).toEqual([2.2, 0, 1, 1.2]);
  expect(last("7d")).toEqual([1.1, 0, 1, 0.1]);
});

test("what was asked in some of five minutes counts for that part", () => {
  const { chunks, clock } = chunksInMemory();
  const key = "shop/services/web";
  clock.now = START + 10 * MINUTE_MS;
  const series = { node: cpu(1, 1, 1, 1, 1, 1, 1), [key]: { requests: [10, null, null, null, null, null, 4] } };
  chunks.store("a", { start: START, series });
  const { [key]: web } = chunks.namespace("1d", "shop", "services/web").series;
  // Of the last five minutes the node has told two.
  expect(web?.requests?.filter((value) => value !== null)).toEqual([2]);
  expect(
    chunks.namespace("1h", "shop", "services/web").series[key]?.requests?.filter((value) => value !== null),
  ).toEqual([10, 4]);
});

test.each([
  ["as many as there is room for are kept for days", 0.0002778, MAX_ASKED],
  ["what would not fit costs the node nothing that it told of itself", 0.000001234, 0],
])("of requests %s", (_, perSecond, kept) => {
  const { chunks, clock, sql } = chunksInMemory();
  const usage = { cpu: 12.34, memory: 123_400_000, received: 12.34, sent: 12.34 };
  const asked = Object.fromEntries(REQUEST_MEASURES.map((measure) => [measure, perSecond]));
  const workload = (i: number) => [`team-namespace-${i}/Deployment/some-workload-${i}`, usage] as const;
  const service = (i: number) => [`team-namespace-${i}/services/some-service-${i}`, asked] as const;
  const figures = new Map<string, Partial<Record<Measure, number>>>([
    ["node", usage],
    ...Array.from({ length: MAX_SERIES - 1 }, (_, i) => workload(i)),
    ...Array.from({ length: MAX_ASKED }, (_, i) => service(i)),
  ]);
  const days = {};
  for (let hour = 0; hour < 95; hour++) setSlot(days, hour, figures);
  sql.run("INSERT INTO chunks VALUES ('a', ?, ?, 0, ?)", HOUR_MS, START, JSON.stringify(days));
  clock.now = START + 96 * HOUR_MS;
  const series = Object.fromEntries(
    [...figures].map(([key, own]) => [
      key,
      Object.fromEntries(Object.entries(own).map(([measure, value]) => [measure, Array<number>(60).fill(value)])),
    ]),
  );
  chunks.store("a", { start: START + 95 * HOUR_MS, series });
  const [{ body = "{}" } = {}] = sql.all<{ body: string }>("SELECT body FROM chunks WHERE grain = ?", HOUR_MS);
  const keys = Object.keys(JSON.parse(body));
  expect(keys.filter(isAskedKey).length).toBe(kept);
  expect(keys.length - kept).toBe(MAX_SERIES);
  expect(chunks.nodes("30d").series.a?.cpu?.filter((value) => value !== null).length).toBe(96);
});

test("of more Services than a row has room for nothing is kept, and workloads have their room all the same", () => {
  const { chunks, clock, sql } = chunksInMemory();
  const many = Object.fromEntries(
    Array.from({ length: MAX_ASKED + 20 }, (_, i) => [`shop/services/s${i}`, { requests: [i] }]),
  );
  clock.now = START + MINUTE_MS;
  chunks.store("a", { start: START, series: { ...many, node: cpu(1), "shop/Pod/x": cpu(1) } });
  const [{ body = "{}" } = {}] = sql.all<{ body: string }>("SELECT body FROM chunks");
  expect(Object.keys(JSON.parse(body)).length).toBe(MAX_ASKED + 2);
});
