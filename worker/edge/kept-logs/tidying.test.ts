import { expect, test } from "vitest";
import { Tidying } from "./tidying.ts";

const HOUR_MS = 3_600_000;

test("the bucket is looked through where a pod's logs were kept, every six hours, however often memory is lost", async () => {
  const kept = new Map<string, number>();
  const storage = {
    get: async (key: string) => kept.get(key),
    put: async (key: string, at: number) => void kept.set(key, at),
  };
  const looks: number[] = [];
  const awake = () => new Tidying(storage, async (_, now) => void looks.push(now / HOUR_MS));
  for (let hour = 0; hour < 20; hour++) await awake().look("default", hour * HOUR_MS);
  expect([looks, kept.size]).toEqual([[], 0]);
  await awake().granted(20 * HOUR_MS);
  await awake().granted(25 * HOUR_MS);
  for (let hour = 20; hour < 40; hour++) {
    const object = awake();
    await Promise.all([object.look("default", hour * HOUR_MS), object.look("default", hour * HOUR_MS)]);
  }
  expect(looks).toEqual([26, 32, 38]);
});
