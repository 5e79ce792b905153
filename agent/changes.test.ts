import { beforeEach, expect, test } from "vitest";
import { Changes } from "./changes.ts";
import { effects } from "./effects.ts";

let changes: Changes;
let due: { ms: number; body(): void; isOver: boolean }[];

const timers = {
  ...effects,
  after(ms: number, body: () => void) {
    const one = { ms, body, isOver: false };
    due.push(one);
    return () => {
      one.isOver = true;
    };
  },
};

beforeEach(() => {
  changes = new Changes();
  due = [];
});

test.each<[string, (gone: AbortController) => void]>([
  ["something changes", () => changes.happened()],
  ["the time is over", () => due[0]?.body()],
  ["it has gone", (gone) => gone.abort()],
])("who waits goes on when %s, and nothing is left of it", async (_, happens) => {
  const gone = new AbortController();
  const waits = changes.within(5, timers, gone.signal);
  expect(changes.waiting).toBe(1);
  happens(gone);
  await waits;
  expect(changes.waiting).toBe(0);
  expect(due).toEqual([{ ms: 5, body: expect.any(Function), isOver: true }]);
});

test("who has gone does not wait", async () => {
  await changes.within(5, timers, AbortSignal.abort());
  expect(due).toEqual([]);
});

test("who waits again waits for the next change", async () => {
  let count = 0;
  const again = async () => {
    for (;;) {
      await changes.within(5, timers);
      count += 1;
    }
  };
  void again();
  changes.happened();
  await expect.poll(() => count).toBe(1);
  changes.happened();
  await expect.poll(() => count).toBe(2);
});
