import { describe, expect, test } from "vitest";
import { envFileValue } from "./env-file.ts";

describe("a file of variables", () => {
  test.each([
    ["A='1'\nB='2'\n", "B", "2"],
    ["  # what follows\n\n\t A='x y $(B) \"z\"' # said\n", "A", 'x y $(B) "z"'],
    ["A='one\n# two\n\nB='\nB='2'", "A", "one\n# two\n\nB="],
    ["A='one\ntwo'\nB='2'", "B", "2"],
    ["A='a=b=c'", "A", "a=b=c"],
    ["A=''\nB='2'", "A", ""],
    ["A= 'x'\nB='2'", "A", ""],
    ["A= 'x'\nB='2'", "B", "2"],
    ["A='1'\r\nB='2'\r\n", "A", "1"],
    ["A='1'\nA='2'", "A", "1"],
    ["A='1'", "C", ""],
    ["", "A", ""],
  ])("%j gives %s the value %j", (text, key, value) => {
    expect(envFileValue(text, key)).toBe(value);
  });

  test.each([["A"], ["='x'"], ["A ='x'"], ["A=x"], ['A="x"'], ["A="], ["A='x"], ["A='x'y"]])("%j is none", (text) => {
    expect(() => envFileValue(text, "B")).toThrow();
  });
});
