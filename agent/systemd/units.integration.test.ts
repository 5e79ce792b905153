/** The units as systemd itself reads them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensurePackages } from "../../test/support/programs.ts";
import { run } from "../process.ts";
import { type UnitOptions, unitsFor } from "./units.ts";

let folder: string;
beforeAll(async () => {
  await ensurePackages({ "systemd-analyze": "systemd" });
  folder = mkdtempSync(join(tmpdir(), "skerry-units-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options: UnitOptions = {
  name: "skerry-test",
  home: '/srv/a "home" of 100% $HOME',
  port: 6443,
  program: [process.execPath, "--no-warnings", "/srv/skerry/dist/skerry.js"],
  containerd: "/bin/true",
  role: "agent",
  flags: [],
  shutdown: { total: 30, critical: 10 },
};

test.each([
  { role: "agent", flags: [] },
  { role: "cluster", flags: ["--node-name", "a b"] },
] as const)("systemd finds nothing wrong with the units of a $role", async ({ role, flags }) => {
  const units = unitsFor({ ...options, role, flags });
  for (const { name, text } of units) writeFileSync(join(folder, name), text);
  const paths = units.map(({ name }) => join(folder, name));
  // It looks for units beside these, of which this machine may have none.
  const done = await run("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", ...paths]);
  const said = (done.stdout + done.stderr).split("\n").filter((line) => line.includes("skerry-test"));
  expect(said).toEqual([]);
  expect(done.code).toBe(0);
});

test("what is wrong with a unit is found in this way", async () => {
  const path = join(folder, "skerry-test-broken.service");
  writeFileSync(path, "[Service]\nExecStart=relative/path\n");
  const done = await run("systemd-analyze", ["verify", "--man=no", path]);
  expect(done.stdout + done.stderr).toContain("relative/path");
});
