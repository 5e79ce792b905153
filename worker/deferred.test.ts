import { expect, test } from "vitest";
import { Deferred } from "./deferred.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

function prepared(make: (order: number) => Promise<string>) {
  const ready: string[] = [];
  return { ready, deferred: new Deferred<number, string>(make, (key) => ready.push(key)) };
}

test("what is ordered comes later, once", async () => {
  const { ready, deferred } = prepared(async (order) => `product ${order}`);
  expect(deferred.take("a", "1", 1)).toBeUndefined();
  expect(deferred.take("a", "1", 1)).toBeUndefined();
  await turn();
  expect(ready).toEqual(["a"]);
  expect(deferred.take("a", "1", 1)).toBe("product 1");
  expect(deferred.take("a", "1", 1)).toBeUndefined();
});

test("what is kept comes as often as it is asked for, until another is ordered", async () => {
  let made = 0;
  const { deferred } = prepared(async (order) => `product ${order} ${++made}`);
  deferred.keep("a", "1", 1);
  await turn();
  expect([deferred.keep("a", "1", 1), deferred.keep("a", "1", 1)]).toEqual(["product 1 1", "product 1 1"]);
  expect(deferred.keep("a", "2", 2)).toBeUndefined();
  await turn();
  expect(deferred.keep("a", "2", 2)).toBe("product 2 2");
});

test("what was ordered before and is no longer wanted does not come", async () => {
  const { ready, deferred } = prepared(async (order) => `product ${order}`);
  deferred.take("a", "1", 1);
  deferred.take("a", "2", 2);
  await turn();
  expect(ready).toEqual(["a"]);
  expect(deferred.take("a", "2", 2)).toBe("product 2");
});

test("what could not be made is ordered anew", async () => {
  let fails = true;
  const { deferred } = prepared(async (order) => {
    if (fails) throw new Error("no");
    return `product ${order}`;
  });
  deferred.take("a", "1", 1);
  await turn();
  fails = false;
  expect(deferred.take("a", "1", 1)).toBeUndefined();
  await turn();
  expect(deferred.take("a", "1", 1)).toBe("product 1");
});
