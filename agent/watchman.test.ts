import { expect, test } from "vitest";
import { isOnWatch, keepWatch, WATCH_MS } from "./watchman.ts";

test("every turn has one watchman, and every node its turn", () => {
  const nodes = ["c", "a", "b"];
  const turns = [0, 1, 2, 3].map((turn) => nodes.filter((node) => isOnWatch(node, nodes, turn)));
  expect(turns).toEqual([["a"], ["b"], ["c"], ["a"]]);
});

test("a node that is alone keeps no watch", () => {
  expect(isOnWatch("a", ["a"], 0)).toBe(false);
});

test("timers that are early or late neither skip a turn nor take one twice", () => {
  let now = 5 * WATCH_MS + 7000;
  let timer: { at: number; body: () => void } | undefined;
  const after = (ms: number, body: () => void) => {
    timer = { at: now + ms, body };
    return () => {
      timer = undefined;
    };
  };
  const turns: number[] = [];
  const stop = keepWatch({ now: () => now, after }, (turn) => turns.push(turn));
  for (const drift of [-3, 40, 0, -1]) {
    now = (timer?.at ?? 0) + drift;
    timer?.body();
  }
  expect(turns).toEqual([6, 7, 8, 9]);
  stop();
  expect(timer).toBeUndefined();
});
