import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packArchive, readArchive, sha256Of } from "./archive.ts";
import { begin, type Choice, choose, confirm, failure, isVersion, unpack } from "./versions.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skerry-versions-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const files = new Map([["skerry.js", Buffer.from("run")]]);
const take = (version: string) => {
  unpack(home, version, files, "1.0");
  begin(home, { version, seconds: 60, sha256: `of ${version}` });
};
const start = (base = "1.0"): Choice => choose(home, base, () => {});
const runs = (choice: Choice) => (choice.run === "base" ? "base" : choice.program.split("/").at(-2));
const versions = () => readdirSync(join(home, "agent/versions")).toSorted();

test("a version that the cluster heard stays, and the one before it for a while", () => {
  expect(runs(start())).toBe("base");
  take("2.0");
  const choice = start();
  expect(choice).toMatchObject({ run: "version", trial: { version: "2.0", previous: "", tries: 1 } });
  confirm(home);
  expect([runs(start()), "trial" in start()]).toEqual(["2.0", false]);
  for (const version of ["3.0", "4.0"]) {
    take(version);
    start();
    confirm(home);
  }
  expect([runs(start()), versions()]).toEqual(["4.0", ["3.0", "4.0"]]);
});

test("a version that ends again and again before it is heard is given up for what ran before", () => {
  take("2.0");
  start();
  confirm(home);
  take("3.0");
  expect([start(), start(), start()].map(runs)).toEqual(["3.0", "3.0", "3.0"]);
  expect(runs(start())).toBe("2.0");
  expect(failure(home)).toEqual({
    version: "3.0",
    sha256: "of 3.0",
    why: "it ended 3 times before the cluster heard of it",
  });
  expect("trial" in start()).toBe(false);
  expect(failure(home)?.version).toBe("3.0"); // until another one is heard
  take("3.1");
  start();
  confirm(home);
  expect(failure(home)).toBeUndefined();
});

test("a version that is not heard in its time is given up at once", () => {
  take("2.0");
  start();
  writeFileSync(join(home, "agent/late"), "");
  expect(runs(start())).toBe("base");
  expect(failure(home)?.why).toBe("the cluster did not hear of it within 60 s");
  take("2.1");
  expect(start()).toMatchObject({ trial: { version: "2.1", tries: 1 } }); // the other's delay is not its
});

test("whoever installs another release runs that", () => {
  take("2.0");
  start();
  confirm(home);
  expect(runs(start("5.0"))).toBe("base");
  expect(runs(start("1.0"))).toBe("base");
});

test("wherever the power goes while a version is taken, one that works is started", () => {
  // What is on disk after each file that an update writes, in their order.
  const folder = join(home, "agent/versions");
  unpack(home, "2.0", files, "1.0");
  expect(runs(start())).toBe("base"); // unpacked, not begun
  rmSync(folder, { recursive: true });
  take("2.0");
  rmSync(join(home, "agent/current"));
  expect(runs(start())).toBe("base"); // on trial, not current
  take("2.1");
  rmSync(join(folder, "2.1"), { recursive: true });
  expect(runs(start())).toBe("base"); // current, and lost
  expect(existsSync(join(home, "agent/trial.json"))).toBe(false);
});

test("an archive holds files side by side, and nothing that leads elsewhere", async () => {
  const archive = await packArchive(files);
  expect([...(await readArchive(archive))]).toEqual([["skerry.js", Buffer.from("run")]]);
  expect(sha256Of(archive)).toBe(sha256Of(await packArchive(files)));
  const evil = await packArchive(new Map([["../skerry.js", Buffer.from("x")]]));
  await expect(readArchive(evil)).rejects.toThrow("should not have");
  await expect(readArchive(Buffer.from("x"))).rejects.toThrow();
});

test.each([
  ["0.2.0", true],
  ["1.0.0-rc.1+5", true],
  ["../x", false],
  ["", false],
  ["1..2", false],
])("a version's name is a folder's: %s", (text, good) => {
  expect(isVersion(text)).toBe(good);
});
