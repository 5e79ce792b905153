import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { question, removeOfDrivers } from "./uninstall.ts";

const identity = { server: "https://c", node: "attic", token: "t" };

test("what goes is told before it goes, and who else loses by it", () => {
  const all = question("/srv", true, identity, ["van"]);
  expect(all).toContain("  - node attic: its containers,");
  expect(all).toContain("`skerry backup` keeps it");
  expect(all).toContain("  - van lose their cluster;");
  expect(all).toMatch(/ {2}- \/srv, with all that is in it\nType yes to go on: $/);
  expect(question("/srv", false, identity, [])).not.toContain("control plane");
});

test("what drivers find goes, unless a kubelet lives in the same folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-uninstall-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "pods/its-pod/volumes"), { recursive: true });
  mkdirSync(join(folder, "seccomp"));
  writeFileSync(join(folder, "cpu_manager_state"), "{}");
  const said: string[] = [];
  removeOfDrivers(folder, (text) => said.push(text));
  expect(readdirSync(folder).toSorted()).toEqual(["cpu_manager_state", "pods", "seccomp"]);
  expect(said).toEqual([`${folder} stays: a kubelet has been there too, or something is mounted there`]);

  rmSync(join(folder, "cpu_manager_state"));
  removeOfDrivers(folder, (text) => said.push(text));
  expect(readdirSync(folder)).toEqual(["seccomp"]);
});
