import { describe, expect, test } from "vitest";
import { areaOf, format, parse, type Result, table } from "./results.ts";
import { resultsOf } from "./suite.ts";

const passed: Result = { name: "[sig-apps] Job should run [Conformance]", passed: true, seconds: 7, why: "" };
const failed: Result = {
  name: "[sig-apps] CronJob should not [Slow] [Conformance]",
  passed: false,
  seconds: 301,
  why: "\n  Timed out after 300 s.\nmore",
};

describe("results as text", () => {
  test("one line a test, sorted by name, and why it failed below it", () => {
    expect(format([passed, failed])).toBe(
      "failed  301 s [sig-apps] CronJob should not [Slow] [Conformance]\n    Timed out after 300 s.\n" +
        "passed    7 s [sig-apps] Job should run [Conformance]\n",
    );
  });

  test("parse gives back what format wrote", () => {
    expect(parse(format([passed, failed]))).toEqual([{ ...failed, why: "Timed out after 300 s." }, passed]);
  });

  test("the table counts tests of each area by how they ended", () => {
    const names = [passed.name, failed.name, "[sig-node] Pods never ran [Conformance]"];
    const text = table(names, new Map([passed, failed].map((result) => [result.name, result])), areaOf);
    expect(text.split("\n")).toEqual([
      "| area     | tests | passed | failed | not run |",
      "| -------- | ----: | -----: | -----: | ------: |",
      "| sig-apps |     2 |      1 |      1 |       0 |",
      "| sig-node |     1 |      0 |      0 |       1 |",
      "| **all**  |     3 |      1 |      1 |       1 |",
    ]);
  });

  test("the area is the interest group of the name", () => {
    expect(areaOf("[sig-api-machinery] Watchers should [Conformance]")).toBe("sig-api-machinery");
  });
});

describe("the suite's report", () => {
  const spec = (leaf: string, state: string, message?: string) => ({
    ContainerHierarchyTexts: ["[sig-apps] Job"],
    LeafNodeType: "It",
    LeafNodeText: leaf,
    State: state,
    RunTime: 6.6e9,
    Failure: message === undefined ? undefined : { Message: message },
  });
  const names = new Set([passed.name]);

  test("a passed test", () => {
    expect(resultsOf([spec("should run [Conformance]", "passed")], names)).toEqual([passed]);
  });

  test("a test that skipped itself or ran out of time has failed, and says which", () => {
    for (const state of ["skipped", "timedout"])
      expect(resultsOf([spec("should run [Conformance]", state, "needs more")], names)).toEqual([
        { ...passed, passed: false, why: `${state}: needs more` },
      ]);
  });

  test("tests that were not asked for or not come to have no result", () => {
    expect(resultsOf([spec("other", "passed"), spec("should run [Conformance]", "skipped")], names)).toEqual([]);
  });
});
