import { expect, it } from "vitest";
import { unifiedDiff } from "./unified-diff.ts";

const lines = (...list: string[]) => list.join("\n");

it("shows nothing for equal texts", () => expect(unifiedDiff("a\nb", "a\nb")).toBe(""));

it("shows a change with three lines around it", () => {
  const before = lines("1", "2", "3", "4", "5", "6", "7", "8");
  const after = lines("1", "2", "3", "4", "x", "6", "7", "8");
  expect(unifiedDiff(before, after)).toBe("@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
});

it("gives far changes a hunk each, with line numbers of both sides", () => {
  const before = Array.from({ length: 30 }, (_, index) => `${index}`);
  const after = [...before.slice(0, 2), "new", ...before.slice(2, 20), ...before.slice(21)];
  expect(unifiedDiff(before.join("\n"), after.join("\n"))).toBe(
    "@@ -1,5 +1,6 @@\n 0\n 1\n+new\n 2\n 3\n 4\n@@ -18,7 +19,6 @@\n 17\n 18\n 19\n-20\n 21\n 22\n 23\n",
  );
});

it("names a range of one line by its number", () => expect(unifiedDiff("a", "b")).toBe("@@ -1 +1 @@\n-a\n+b\n"));

it("starts no run at a line that a long text is full of", () => {
  const filler = Array.from({ length: 250 }, () => "null");
  const [before, after] = [lines("x", ...filler), lines(...filler, "y")];
  const removed = ["x", ...filler].map((line) => `-${line}\n`).join("");
  const added = [...filler, "y"].map((line) => `+${line}\n`).join("");
  expect(unifiedDiff(before, after)).toBe(`@@ -1,251 +1,251 @@\n${removed}${added}`);
});

it("keeps far changes of long texts apart", () => {
  const before = Array.from({ length: 3000 }, (_, index) => `${index}`);
  const after = before.map((line) => (line === "10" || line === "2990" ? "x" : line));
  expect(unifiedDiff(before.join("\n"), after.join("\n")).match(/^@@.*$/gm)).toEqual([
    "@@ -8,7 +8,7 @@",
    "@@ -2988,7 +2988,7 @@",
  ]);
});
