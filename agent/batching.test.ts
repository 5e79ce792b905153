import { expect, test } from "vitest";
import { batcher } from "./batching.ts";
import { limiter } from "./limiter.ts";

test("calls that wait go together, up to a limit, and each gets the result of its own", async () => {
  const calls: string[][] = [];
  const doors = [Promise.withResolvers<void>()];
  const batched = batcher(limiter(1), 3, async (ids) => {
    calls.push([...ids]);
    await doors[0]?.promise;
    return ids.join();
  });
  const first = batched(["a"]);
  await Promise.resolve(); // its turn has come
  await Promise.resolve();
  const others = [batched(["b", "c"]), batched(["d"]), batched(["e"])];
  doors[0]?.resolve();
  expect(await first).toBe("a");
  expect(await Promise.all(others)).toEqual(["b,c,d", "b,c,d", "e"]);
  expect(calls).toEqual([["a"], ["b", "c", "d"], ["e"]]);
});

test("a failure is that of all who asked together, and of nobody else", async () => {
  const batched = batcher(limiter(1), 10, async (ids) => {
    if (ids.includes("bad")) throw new Error("no");
    return ids.length;
  });
  const together = [batched(["good"]), batched(["bad"])];
  expect((await Promise.allSettled(together)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await batched(["good"])).toBe(1);
});
