import { EventEmitter } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { endWithReader, printable, table } from "./terminal.ts";

test("columns are as wide as their widest cell, and lines end with their last", () => {
  const rows = [
    ["A", "LONG", "C"],
    ["wide one", "x", ""],
  ];
  expect(table(rows)).toBe("A          LONG   C\nwide one   x\n");
});

test("what a cell is painted with does not widen it", () => {
  const rows = [
    ["A", "B"],
    ["a", "b"],
  ];
  const painted = table(rows, " ", (cell) => `\u001b[31m${cell}\u001b[39m`);
  expect(stripVTControlCharacters(painted)).toBe("A B\na b\n");
});

test("what others have written moves no cursor, and fakes no line", () => {
  expect(printable("a\u001b[2J\r\nb\u009b1m\u202ec é")).toBe("a\\u001b[2J\\u000d\\u000ab\\u009b1m\\u202ec é");
  expect(table([["a\u001bb", "c"]])).toBe("a\\u001bb   c\n");
});

test("a reader that has had enough ends the command well; any other fault is one", () => {
  const output = new EventEmitter();
  const codes: number[] = [];
  endWithReader(output as NodeJS.WriteStream, (code) => codes.push(code));
  output.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  expect(codes).toEqual([0]);
  expect(() => output.emit("error", new Error("no space left"))).toThrow("no space left");
});
