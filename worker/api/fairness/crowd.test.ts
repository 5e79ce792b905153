import { expect, test } from "vitest";
import { Crowd } from "./crowd.ts";

const now = 1e12;
const waiting = (...flows: string[]) => {
  const crowd = new Crowd();
  for (const flow of flows) crowd.came(flow);
  return crowd;
};

test("one client that was always alone may have all there is", () => {
  const crowd = waiting("a", "a", "a");
  crowd.served("a", now - 5000);
  crowd.served("a", now);
  expect(crowd.isLeftToOne(now)).toBe(false);
});

test("one that is left is not alone while others were served of late", () => {
  const crowd = waiting("a", "a", "a", "b");
  crowd.served("a", now);
  crowd.served("b", now);
  expect(crowd.isLeftToOne(now)).toBe(true);
  crowd.served("a", now + 1);
  expect(crowd.isLeftToOne(now + 1)).toBe(true);
  expect(crowd.isLeftToOne(now + 1002)).toBe(false);
});

test("several that wait share as they are", () => {
  const crowd = waiting("a", "a", "b", "b");
  crowd.served("a", now);
  crowd.served("b", now);
  expect(crowd.isLeftToOne(now)).toBe(false);
});
