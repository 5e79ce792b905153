import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { fits, patternProblem, sizeOf } from "./patterns.ts";

const NONE = "is no regular expression (RE2)";
const LARGE = "is too large a regular expression";

test.each([
  ["a+", undefined],
  ["[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", undefined],
  [".{1,1000}", undefined],
  ["(a", NONE],
  ["(a)\\1", NONE],
  ["a".repeat(501), LARGE],
  ["(a{100}){100}", LARGE],
  [`(${"a".repeat(480)}){1000}`, LARGE],
  ["\\Q[\\E(a{100}){100}", LARGE],
  ["[(](a{100}b?){100}", LARGE],
  ["x{999999999999}", LARGE],
])("%s: %s", (text, problem) => {
  expect(patternProblem(text)).toBe(problem);
});

test.each([
  "abc",
  "a|b|cd*",
  "(a?){1000}b",
  ".{1,1000}",
  "((a|b|c|d|e)*x?){500}",
  "(?i)(\\pL[^a-z]?){500}",
  "(?:(?:a?){30}a{30}){30}",
  "[[:alpha:](]{20}(\\)|b){2,}",
  "\\Qa{3}\\E{20}",
  "(x{0,100}y?){1,10}",
])("the size of %s is not taken for less than it is", (text) => {
  expect(sizeOf(text)).toBeGreaterThanOrEqual(RE2JS.compile(text).programSize() - 3);
});

describe("a text", () => {
  test("is matched as a whole", () => {
    expect([fits("a+", "aaa"), fits("a+", "aab"), fits("(a", "(a")]).toEqual([true, false, false]);
  });

  test("that is too long is matched by nothing", () => {
    expect([fits("a*", "a".repeat(8192)), fits("a*", "a".repeat(8193))]).toEqual([true, false]);
  });

  test("is matched however many patterns there are", () => {
    const patterns = Array.from({ length: 1500 }, (_, i) => `a{${i % 40}}b${i}`);
    expect(patterns.filter((pattern, i) => !fits(pattern, `${"a".repeat(i % 40)}b${i}`))).toEqual([]);
  });
});
