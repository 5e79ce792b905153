import { expect, test } from "vitest";
import { USAGE } from "./api/backup/settings.ts";
import { Meter } from "./meter.ts";
import { nodeSql } from "./storage/node-sql.ts";
import { openStore } from "./storage/sqlite-store.ts";
import type { Store } from "./storage/store.ts";

const START = Date.UTC(2026, 10, 3);

/** Chance by a linear congruential generator whose products are exact, so that sums are always the same. */
function object() {
  let seed = 1;
  const state = { now: START, kept: 0 };
  const store = openStore(nodeSql(":memory:"));
  const counted = {
    ...store,
    getSetting: (name: string) => store.getSetting(name),
    write: (body: () => void) => store.write(body),
    setSetting(name: string, value: string) {
      if (name === USAGE) state.kept++;
      store.setSetting(name, value);
    },
  } as typeof store;
  const random = () => {
    seed = (seed * 16_807) % (2 ** 31 - 1);
    return seed / (2 ** 31 - 1);
  };
  const awake = () => {
    const meter = new Meter({ now: () => state.now, random }, () => 4096);
    meter.keepIn(counted);
    return meter;
  };
  return { state, awake };
}

const event = (meter: Meter, state: { now: number }, ms = 0, rows = 0) =>
  meter.during("objectRequests", async () => {
    meter.count("rowsWritten", rows);
    state.now += ms;
  });

test("sums are right on average though memory is lost after each event, and keeping them costs about one row in a hundred", async () => {
  const { state, awake } = object();
  for (let n = 0; n < 20_000; n++) await event(awake(), state, 2, 5);
  const { objectRequests, rowsWritten, awakeMs } = awake().month();
  expect(Math.abs(rowsWritten / 100_000 - 1)).toBeLessThan(0.1);
  expect(Math.abs(objectRequests / 20_000 - 1)).toBeLessThan(0.1);
  expect(Math.abs(awakeMs / 40_000 - 1)).toBeLessThan(0.1);
  expect(state.kept).toBeGreaterThan(800);
  expect(state.kept).toBeLessThan(1_300);
});

test("what costs much is kept as it is", async () => {
  const { state, awake } = object();
  await event(awake(), state, 10, 1_000);
  expect(awake().month()).toEqual({
    month: "2026-11",
    since: "2026-11-03T00:00:00Z",
    objectRequests: 1,
    alarms: 0,
    messages: 0,
    awakeMs: 10,
    rowsRead: 0,
    rowsWritten: 1_000,
    storedBytes: 4096,
  });
});

test("a month begins with nothing", async () => {
  const { state, awake } = object();
  await event(awake(), state, 10, 1_000);
  state.now = Date.UTC(2026, 11, 1, 0, 0, 5);
  expect(awake().month()).toMatchObject({ month: "2026-12", since: "2026-12-01T00:00:05Z", rowsWritten: 0 });
  await event(awake(), state, 10, 500);
  expect(awake().month()).toMatchObject({ month: "2026-12", rowsWritten: 500 });
});

test("the time of events that overlap is counted once, and who never rests is looked at each minute", async () => {
  const { state, awake } = object();
  const meter = awake();
  meter.begin();
  for (let n = 0; n < 20; n++) await event(meter, state, 30_000, 200);
  expect(meter.total.awakeMs).toBe(600_000);
  expect(meter.month().rowsWritten).toBe(4_000);
  meter.end();
  expect(meter.total.awakeMs).toBe(600_000);
});

test("where storage takes no writes, what is asked is answered all the same", async () => {
  const { state } = object();
  const meter = new Meter({ now: () => state.now, random: () => 0 }, () => 0);
  meter.keepIn({
    getSetting: () => undefined,
    write() {
      throw new Error("the disk is full");
    },
  } as unknown as Store);
  const answer = meter.during("objectRequests", async () => {
    meter.count("rowsRead", 1_000_000);
    return "answered";
  });
  expect(await answer).toBe("answered");
});

test("nothing is kept before there is a cluster", async () => {
  const { state } = object();
  const meter = new Meter({ now: () => state.now, random: () => 0 }, () => 0);
  await event(meter, state, 1, 1_000);
  expect(meter.month()).toMatchObject({ rowsWritten: 0 });
});
