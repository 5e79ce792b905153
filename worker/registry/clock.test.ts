import { beforeEach, expect, test } from "vitest";
import { CollectionClock } from "./clock.ts";
import { GRACE_MS } from "./facts.ts";

const HOUR_MS = 3_600_000;
let now: number;
let alarm: number | null;
let collected: string[];
let answer: () => { more: boolean };
let remains: boolean;
const kept = new Map<string, string>();

beforeEach(() => {
  now = 0;
  alarm = null;
  collected = [];
  answer = () => ({ more: false });
  remains = false;
  kept.clear();
});

const clock = () =>
  new CollectionClock({
    storage: {
      get: async (key) => kept.get(key),
      put: async (key, value) => void kept.set(key, value),
      getAlarm: async () => alarm,
      setAlarm: async (at) => {
        alarm = at;
      },
      deleteAlarm: async () => {
        alarm = null;
      },
    },
    now: () => now,
    collect: async (cluster) => {
      collected.push(cluster);
      return answer();
    },
    mayRemain: () => remains,
    log: () => {},
  });

/** Its time has come: in an object that was woken for it. */
async function ring(): Promise<number | null> {
  now = alarm ?? now;
  alarm = null;
  await clock().alarm();
  return alarm === null ? null : alarm - now;
}

test("who only reads sets no alarm; who pushes or removes sets one, and only one", async () => {
  const asked = clock();
  for (const name of ["blob", "manifest", "tags", "append", "collect"]) await asked.asked("shore", name);
  expect(alarm).toBeNull();
  await asked.asked("shore", "open");
  expect(alarm).toBe(GRACE_MS);
  now = HOUR_MS;
  for (const each of [asked, clock()]) await each.asked("shore", "removeManifest");
  expect(alarm).toBe(GRACE_MS);
  expect(await ring()).toBeNull();
  expect(collected).toEqual(["shore"]);
});

test("there is another look while something may remain, and soon after one that was cut short or failed", async () => {
  await clock().asked("shore", "mount");
  remains = true;
  expect(await ring()).toBe(24 * HOUR_MS);
  answer = () => ({ more: true });
  expect(await ring()).toBe(60_000);
  answer = () => {
    throw new Error("the cluster does not answer");
  };
  expect(await ring()).toBe(HOUR_MS);
  answer = () => ({ more: false });
  remains = false;
  expect(await ring()).toBeNull();
  expect(collected).toHaveLength(4);
});

test("it can be told not to look, and to look again", async () => {
  const asked = clock();
  await asked.asked("shore", "open");
  await asked.setByClock("shore", "off");
  expect([alarm, await clock().byClock()]).toEqual([null, "off"]);
  for (const each of [asked, clock()]) await each.asked("shore", "removeManifest");
  remains = true;
  expect([alarm, await ring(), collected]).toEqual([null, null, []]);
  await asked.setByClock("shore", "on");
  expect([alarm, await clock().byClock()]).toEqual([now + GRACE_MS, "on"]);
  await asked.setByClock("shore", "off");
  remains = false;
  await asked.setByClock("shore", "on");
  expect(alarm).toBeNull();
  await asked.asked("shore", "open");
  expect(alarm).toBe(now + GRACE_MS);
});
