import { describe, expect, test } from "vitest";
import type { Credential } from "./keyring.ts";
import { PullRecords } from "./records.ts";
import { memoryFiles } from "./testing/model.ts";

const ID = "sha256:1";
const IMAGE = "r.io/app:1";

const credential = (name: string, hash = `hash-${name}`): Credential => ({
  username: "u",
  password: "p",
  hash,
  source: { uid: `uid-${name}`, namespace: "default", name },
});
const ofNode: Credential = { username: "u", password: "p", hash: "hash" };
const nobody = () => [];

function pulled(by?: Credential, files = memoryFiles()): PullRecords {
  const records = new PullRecords(files);
  records.begin(IMAGE);
  records.succeeded(IMAGE, ID, by);
  return records;
}

describe("who may use an image that is on the node", () => {
  test("one that was not pulled is free to all", () => {
    expect(new PullRecords(memoryFiles()).mustPull(IMAGE, ID, nobody)).toBe(false);
  });

  test.each([["nobody's"], ["the node's"]])("one pulled with %s credentials is free to all", (whose) => {
    expect(pulled(whose === "nobody's" ? undefined : ofNode).mustPull(IMAGE, ID, nobody)).toBe(false);
  });

  test.each([
    ["no credentials", [], true],
    ["the node's alone", [ofNode], true],
    ["another Secret of other content", [credential("b")], true],
    ["the same Secret", [credential("a")], false],
    ["the same Secret after its content changed", [credential("a", "new")], false],
    ["another Secret of the same content", [credential("b", "hash-a")], false],
    ["the right one among others", [credential("b"), credential("a")], false],
  ])("one pulled with a Secret, by a pod with %s: to ask again: %s", (_, credentials, must) => {
    expect(pulled(credential("a")).mustPull(IMAGE, ID, () => credentials)).toBe(must);
  });

  test("another name of the same image is another question", () => {
    const records = pulled(credential("a"));
    expect(records.mustPull("r.io/app:2", ID, () => [credential("a")])).toBe(false);
    expect(records.mustPull("r.io/other:1", ID, () => [credential("a")])).toBe(true);
  });

  test("who was let in once is known from then on", () => {
    const records = pulled(credential("a"));
    expect(records.mustPull(IMAGE, ID, () => [credential("b", "hash-a")])).toBe(false);
    expect(records.mustPull(IMAGE, ID, () => [credential("b", "changed")])).toBe(false);
  });

  test("a pull that needed nothing frees it for good", () => {
    const records = pulled(credential("a"));
    records.begin(IMAGE);
    records.succeeded(IMAGE, ID, undefined);
    expect(records.mustPull(IMAGE, ID, nobody)).toBe(false);
  });
});

test("an agent that starts again knows it all", () => {
  const files = memoryFiles();
  pulled(credential("a"), files);
  expect(new PullRecords(files).mustPull(IMAGE, ID, nobody)).toBe(true);
});

test("what a pull that nobody saw the end of left behind is nobody's, also after another pull failed", () => {
  const files = memoryFiles();
  new PullRecords(files).begin(IMAGE);
  const records = new PullRecords(files);
  expect(records.mustPull(IMAGE, ID, nobody)).toBe(true);
  records.begin(IMAGE);
  records.failed(IMAGE);
  expect(records.mustPull(IMAGE, ID, nobody)).toBe(true);
});

test("a pull that failed leaves nothing", () => {
  const files = memoryFiles();
  const records = new PullRecords(files);
  records.begin(IMAGE);
  records.begin(IMAGE);
  records.failed(IMAGE);
  expect(files.names()).toHaveLength(1);
  records.failed(IMAGE);
  expect(files.names()).toEqual([]);
});

test("what is no JSON lets nobody in", () => {
  const files = memoryFiles();
  pulled(undefined, files);
  for (const name of files.names()) files.write(name, "{");
  expect(new PullRecords(files).mustPull(IMAGE, ID, nobody)).toBe(true);
});

test("an image that was removed is forgotten", () => {
  const records = pulled(credential("a"));
  records.forget("sha256:2");
  expect(records.mustPull(IMAGE, ID, nobody)).toBe(true);
  records.forget(ID);
  expect(records.mustPull(IMAGE, ID, nobody)).toBe(false);
});
