import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type VolumeFiles, writeAtomically } from "./atomic.ts";

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "skerry-atomic-")), "volume");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const files = (entries: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
const NOW = Date.UTC(2026, 0, 31, 23, 59, 58);
const write = (entries: VolumeFiles, group?: number) => writeAtomically(folder, entries, { group, now: NOW });
const version = expect.stringMatching(/^\.\.2026_01_31_23_59_58\.\w+$/);
const text = (path: string) => readFileSync(join(folder, path), "utf8");

test("files are seen through ..data, in folders too", () => {
  write(files({ a: "1", "sub/b": "2" }));
  expect([text("a"), text("sub/b")]).toEqual(["1", "2"]);
  expect(readlinkSync(join(folder, "a"))).toBe("..data/a");
  expect(readlinkSync(join(folder, "sub"))).toBe("..data/sub");
  expect(readdirSync(folder).sort()).toEqual([version, "..data", "a", "sub"]);
});

test("a change swaps all at once and leaves one version", () => {
  write(files({ a: "1", gone: "x" }));
  write(files({ a: "2", fresh: "y" }));
  expect(readdirSync(folder).sort()).toEqual([version, "..data", "a", "fresh"]);
  expect([text("a"), text("fresh")]).toEqual(["2", "y"]);
});

test("the same content is left alone", () => {
  write(files({ a: "1" }));
  const before = readlinkSync(join(folder, "..data"));
  write(files({ a: "1" }));
  expect(readlinkSync(join(folder, "..data"))).toBe(before);
});

test("a half-made version of an agent that died is written again", () => {
  write(files({ a: "1" }));
  rmSync(join(folder, readlinkSync(join(folder, "..data")), "a"));
  write(files({ a: "1" }));
  expect(text("a")).toBe("1");
});

test("a name that an agent which died did not show is shown", () => {
  write(files({ a: "1", "sub/b": "2" }));
  rmSync(join(folder, "a"));
  write(files({ a: "1", "sub/b": "2" }));
  expect(text("a")).toBe("1");
});

const modeOf = (path: string) => statSync(join(folder, path)).mode & 0o7777;

test("modes are kept", () => {
  write(files({ "sub/a": "1" }, 0o400));
  expect(["", "..data", "sub", "sub/a"].map(modeOf)).toEqual([0o777, 0o755, 0o755, 0o400]);
});

test("who is of the pod's group may read, and what is made in the volume is the group's", () => {
  write(files({ "sub/a": "2" }, 0o200), process.getgid?.() ?? 0);
  expect(["", "..data", "sub", "sub/a"].map(modeOf)).toEqual([0o2777, 0o2755, 0o2755, 0o640]);
});

test.each([
  ["../x", "must not contain '..': ../x"],
  ["a/../../x", "must not contain '..': a/../../x"],
  ["..x/a", "must not start with '..': ..x/a"],
  ["/x", "must be relative path: /x"],
  ["", 'must not be empty: ""'],
  [`a/${"x".repeat(256)}`, "filenames must be less than or equal to 255 characters"],
  ["a/".repeat(2049), "must be less than or equal to 4096 characters"],
])("the path %s is refused", (path, problem) => {
  expect(() => write(files({ [path]: "1" }))).toThrow(`invalid path: ${problem}`);
});

test("an empty volume is a folder without files", () => {
  write(files({}));
  expect(readdirSync(folder).filter((name) => !name.startsWith(".."))).toEqual([]);
});

test("what others are mounted on stays, whatever becomes of the files beside it", () => {
  write(files({ a: "1" }));
  mkdirSync(join(folder, "point"));
  write(files({ b: "2" }));
  write(files({ b: "3", point: "x" }));
  expect(readdirSync(folder).sort()).toEqual([version, "..data", "b", "point"]);
  expect(statSync(join(folder, "point")).isDirectory()).toBe(true);
});
