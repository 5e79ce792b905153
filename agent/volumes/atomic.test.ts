import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAtomically } from "./atomic.ts";

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "skerry-atomic-")), "volume");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const files = (entries: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
const text = (path: string) => readFileSync(join(folder, path), "utf8");

test("files are seen through ..data, in folders too", () => {
  writeAtomically(folder, files({ a: "1", "sub/b": "2" }));
  expect([text("a"), text("sub/b")]).toEqual(["1", "2"]);
  expect(readlinkSync(join(folder, "a"))).toBe("..data/a");
  expect(readlinkSync(join(folder, "sub"))).toBe("..data/sub");
  expect(readdirSync(folder).sort()).toEqual(["..1", "..data", "a", "sub"]);
});

test("a change swaps all at once and leaves one version", () => {
  writeAtomically(folder, files({ a: "1", gone: "x" }));
  writeAtomically(folder, files({ a: "2", fresh: "y" }));
  expect(readdirSync(folder).sort()).toEqual(["..2", "..data", "a", "fresh"]);
  expect([text("a"), text("fresh")]).toEqual(["2", "y"]);
});

test("the same content is left alone", () => {
  writeAtomically(folder, files({ a: "1" }));
  writeAtomically(folder, files({ a: "1" }));
  expect(readlinkSync(join(folder, "..data"))).toBe("..1");
});

test("a half-made version of an agent that died is written again", () => {
  writeAtomically(folder, files({ a: "1" }));
  rmSync(join(folder, "..1", "a"));
  writeAtomically(folder, files({ a: "1" }));
  expect(text("a")).toBe("1");
});

test("modes are kept, and a group may read what the owner may", () => {
  writeAtomically(folder, files({ a: "1" }, 0o400));
  expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o400);
  writeAtomically(folder, files({ a: "2" }, 0o400), process.getgid?.() ?? 0);
  expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o440);
});

test("a path that leaves the volume is refused", () => {
  for (const path of ["../x", "a/../../x", "/x"])
    expect(() => writeAtomically(folder, files({ [path]: "1" }))).toThrow("unsafe path");
});

test("an empty volume is a folder without files", () => {
  writeAtomically(folder, files({}));
  expect(readdirSync(folder).filter((name) => !name.startsWith(".."))).toEqual([]);
});

test("what others are mounted on stays, whatever becomes of the files beside it", () => {
  writeAtomically(folder, files({ a: "1" }));
  mkdirSync(join(folder, "point"));
  writeAtomically(folder, files({ b: "2" }));
  writeAtomically(folder, files({ b: "3", point: "x" }));
  expect(readdirSync(folder).sort()).toEqual(["..3", "..data", "b", "point"]);
  expect(statSync(join(folder, "point")).isDirectory()).toBe(true);
});
