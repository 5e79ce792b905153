import { expect, test } from "vitest";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { MOVING_TO, placeIn } from "../../../worker/lib/local-volumes.ts";
import { effects } from "../../effects.ts";
import { Copying } from "./copying.ts";

const moving = (name: string): CoreV1PersistentVolume => ({
  metadata: { name, annotations: { "skerry.dev/moving-to": `node-a/${name}_x` } },
  spec: { claimRef: { namespace: "default", name } },
});

/** A node whose sources answer when the test says so, and whose timers go off when it says so. */
function node() {
  const asked: string[] = [];
  const answers = new Map<string, (error?: Error) => void>();
  const timers: { ms: number; body: () => void }[] = [];
  const failures: string[] = [];
  const copying = new Copying({
    wanted: ({ metadata }) => placeIn(metadata?.annotations, MOVING_TO)?.folder,
    copy({ metadata }, _folder, signal) {
      const name = metadata?.name ?? "";
      asked.push(name);
      return new Promise((resolve, reject) => {
        answers.set(name, (error) => (error ? reject(error) : resolve()));
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
    timers: {
      after(ms, body) {
        const timer = { ms, body };
        timers.push(timer);
        return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
      },
    },
    changed: () => {},
    failed: (volume, message) => failures.push(`${volume.metadata?.name}: ${message}`),
  });
  const settled = () => effects.sleep(0);
  const answer = async (name: string, error?: string) => {
    answers.get(name)?.(error === undefined ? undefined : new Error(error));
    await settled();
  };
  /** The first timer goes off; returns for how long it was set. */
  const pass = () => {
    const timer = timers.shift();
    timer?.body();
    return timer?.ms;
  };
  return { copying, asked, answer, settled, timers, pass, failures };
}

test("a source that is away is asked ever more seldom, whatever else the node is told meanwhile", async () => {
  const { copying, asked, answer, timers, pass, failures } = node();
  const waited: (number | undefined)[] = [];
  copying.sync([moving("one")]);
  for (let i = 0; i < 9; i++) {
    await answer("one", "away");
    copying.sync([moving("one")]);
    expect(asked).toHaveLength(i + 1);
    expect(timers).toHaveLength(1);
    waited.push(pass());
    expect(asked).toHaveLength(i + 2);
  }
  expect(waited).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => seconds * 1000));
  expect(failures).toHaveLength(9);
  await answer("one");
  expect(copying.done).toEqual(["one_x"]);
  expect(timers).toEqual([]);
});

test("one that is away holds up no other, and no more than two come at once", async () => {
  const { copying, asked, answer, pass } = node();
  copying.sync(["one", "two", "three", "four"].map(moving));
  expect(asked).toEqual(["one", "two"]);
  await answer("one", "away");
  expect(asked).toEqual(["one", "two", "three"]);
  expect(pass()).toBe(5_000);
  expect(asked).toHaveLength(3);
  await answer("two");
  expect(asked.slice(3)).toEqual(["one"]);
  await answer("three");
  expect(asked.slice(4)).toEqual(["four"]);
  await answer("one");
  await answer("four");
  expect(copying.done).toEqual(["four_x", "one_x", "three_x", "two_x"]);
});

test("a new connection is a reason to ask at once, and a move that was called off none to ask again", async () => {
  const { copying, asked, answer, settled, timers } = node();
  copying.sync([moving("one")]);
  await answer("one", "away");
  copying.online();
  expect(asked).toEqual(["one", "one"]);
  expect(timers).toEqual([]);
  await answer("one", "away");
  expect(timers.map(({ ms }) => ms)).toEqual([5_000]);
  copying.sync([]);
  expect(timers).toEqual([]);
  // Nor is one that was on its way a failure.
  copying.sync([moving("two")]);
  copying.sync([]);
  await settled();
  expect(timers).toEqual([]);
  expect(copying.done).toEqual([]);
  expect(asked).toEqual(["one", "one", "two"]);
});
