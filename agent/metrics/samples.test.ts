import { expect, test } from "vitest";
import { MINUTE_MS } from "../../worker/lib/facts/metric-series.ts";
import { type Counted, Samples } from "./samples.ts";

const START = 1_000 * 3_600_000;
const CORE_MS = 1_000_000; // nanoseconds of one processor in a millisecond
const look = (minute: number, counted: Record<string, Counted>) => ({
  at: START + minute * MINUTE_MS,
  counted: new Map(Object.entries(counted)),
});
const of = (cores: number, memory = 1): Counted => ({ cpu: cores * MINUTE_MS * CORE_MS, memory });

test("a minute is what was counted between two looks, by series", () => {
  const samples = new Samples();
  samples.take(look(0, { node: { ...of(5), received: 0, sent: 0 }, a: of(1), b: of(1) }));
  samples.take(
    look(1, { node: { ...of(7), received: 60_000, sent: 600 }, a: of(1.5, 10), b: of(1.25, 20), c: of(1, 7) }),
  );
  samples.take(look(2, { node: of(8), a: of(0.5, 10) })); // it has begun anew
  const keys: Record<string, string> = { a: "shop/Deployment/web", b: "shop/Deployment/web" };
  expect([...samples.pods()]).toEqual(["a", "b", "c"]);
  const next = samples.next(0, (uid) => keys[uid]);
  expect(next).toEqual({
    start: START,
    slots: [START, START + MINUTE_MS],
    series: {
      node: { cpu: [2000, 1000], memory: [1, 1], received: [1000], sent: [10] },
      "shop/Deployment/web": { cpu: [750, 500], memory: [30, 10] },
    },
  });
  samples.done(next?.slots ?? []);
  expect(samples.next(0, () => undefined)).toBeUndefined();
});

test("a pod whose container was down for a look has no rate over its whole life; one that is new has", () => {
  const samples = new Samples();
  const since = START - 600_000;
  samples.take(look(0, { a: { ...of(1000), since } }));
  samples.take(look(1, {}));
  samples.take(
    look(2, { a: { ...of(1001), received: 9e9, sent: 9e9, since }, b: { ...of(1), since: START + 90_000 } }),
  );
  expect(samples.next(0, (uid) => `shop/Pod/${uid}`)?.series).toEqual({
    "shop/Pod/a": { cpu: [null, 0], memory: [null, 1], received: [null, 0], sent: [null, 0] },
    "shop/Pod/b": { cpu: [null, 1000], memory: [null, 1] },
  });
});

test("a machine that slept, or whose clock went back, tells nothing of that time", () => {
  const samples = new Samples();
  for (const [minute, cores] of [
    [0, 0],
    [600, 5],
    [599, 6],
    [600, 7],
  ] as const)
    samples.take(look(minute, { node: of(cores) }));
  expect(samples.next(0, () => undefined)).toMatchObject({
    start: START + 599 * MINUTE_MS,
    series: { node: { cpu: [1000] } },
  });
});

test("what is held is bounded, in pieces, and what is too old is left out", () => {
  const samples = new Samples();
  for (let minute = 0; minute <= 1000; minute++) samples.take(look(minute, { node: of(minute) }));
  const first = samples.next(0, () => undefined);
  expect([first?.start, first?.slots.length]).toEqual([START + 280 * MINUTE_MS, 120]);
  expect(samples.next(START + 900 * MINUTE_MS, () => undefined)?.start).toBe(START + 900 * MINUTE_MS);
  const again = new Samples(JSON.parse(JSON.stringify(samples.saved())));
  expect(again.next(0, () => undefined)).toEqual(samples.next(0, () => undefined));
});

test("of many series the greatest are told of, and the others as one a namespace", () => {
  const samples = new Samples();
  const pods = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, of(0, i + 1)]));
  samples.take(look(0, pods));
  samples.take(look(1, pods));
  const { series = {} } = samples.next(0, (uid) => `shop/Pod/${uid}`) ?? {};
  expect(Object.keys(series).length).toBe(61);
  expect(series["shop/others"]).toEqual({ cpu: [0], memory: [(40 * 41) / 2] });
});

test("requests are told of under their own names, of those with the most of them, and no pod is asked for them", () => {
  const samples = new Samples();
  samples.take(look(0, { node: of(0) }));
  const key = (i: number) => [`shop/services/s${i}`, { requests: i, failed: 0, took2: i }] as const;
  const requests = new Map(Array.from({ length: 70 }, (_, i) => key(i)));
  samples.take({ ...look(1, { node: of(0), a: of(0) }), requests });
  expect([...samples.pods()]).toEqual(["a"]);
  const { series = {} } = samples.next(0, (name) => (name === "a" ? undefined : name)) ?? {};
  expect(Object.keys(series).length).toBe(61);
  expect(series["shop/services/s69"]).toEqual({ requests: [69], failed: [0], took2: [69] });
  expect(series["shop/services/s9"]).toBeUndefined();
  expect(series["shop/others"]).toBeUndefined();
});
