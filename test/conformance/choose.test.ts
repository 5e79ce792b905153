import { describe, expect, test } from "vitest";
import { batches, choosePart } from "./choose.ts";
import { areaOf, type Result } from "./results.ts";

const known = (seconds: Record<string, number>) =>
  new Map<string, Result>(
    Object.entries(seconds).map(([name, taken]) => [name, { name, passed: true, seconds: taken, why: "" }]),
  );

describe("batches", () => {
  test("quick tests share a process up to a minute", () => {
    expect(batches(["a", "b", "c"], known({ a: 20, b: 40, c: 1 }))).toEqual([["a", "b"], ["c"]]);
  });

  test("a slow test has a process of its own; one that has never run is taken for quick", () => {
    expect(batches(["a", "new", "slow", "b"], known({ a: 1, slow: 300, b: 1 }))).toEqual([
      ["a", "new"],
      ["slow"],
      ["b"],
    ]);
  });

  test("no process takes more than eight", () => {
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
    expect(
      batches(names, known(Object.fromEntries(names.map((name) => [name, 0])))).map(({ length }) => length),
    ).toEqual([8, 8, 4]);
  });
});

describe("the part that npm test runs", () => {
  const names = ["sig-apps", "sig-node", "sig-auth"].flatMap((area) =>
    Array.from({ length: 10 }, (_, index) => `[${area}] ${index} [Conformance]`),
  );
  const nine = known(Object.fromEntries(names.map((name) => [name, 9])));

  test("is as long as the time allows, from all areas alike, and always the same", () => {
    const part = choosePart(names, [], nine, 2, 60);
    expect(part).toHaveLength(12);
    expect([...Map.groupBy(part, areaOf).values()].map(({ length }) => length)).toEqual([4, 4, 4]);
    expect(choosePart(names.toReversed(), [], nine, 2, 60).toSorted()).toEqual(part.toSorted());
  });

  test("counts a serial test for every process that stands still, and leaves slow ones out", () => {
    expect(
      choosePart(
        ["[sig-apps] a [Serial] [Conformance]"],
        [],
        known({ "[sig-apps] a [Serial] [Conformance]": 9 }),
        3,
        9,
      ),
    ).toEqual([]);
    expect(
      choosePart(["[sig-apps] slow [Conformance]"], [], known({ "[sig-apps] slow [Conformance]": 61 }), 3, 900),
    ).toEqual([]);
  });

  test("of groups that are not usually run it has what is in the sample", () => {
    expect(choosePart(["[sig-storage] a", "[sig-storage] b"], ["[sig-storage] b"], new Map(), 1, 900)).toEqual([
      "[sig-storage] b",
    ]);
  });

  test("leaves out what failed when it was last run", () => {
    const failed = new Map([
      ["[sig-apps] a [Conformance]", { name: "[sig-apps] a [Conformance]", passed: false, seconds: 1, why: "" }],
    ]);
    expect(choosePart(["[sig-apps] a [Conformance]", "[sig-apps] b [Conformance]"], [], failed, 1, 900)).toEqual([
      "[sig-apps] b [Conformance]",
    ]);
  });
});
