/** A machine that has no process left, as a pids cgroup makes it for the launcher's shell. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { effects } from "./effects.ts";
import { LAUNCHER, Launcher } from "./launcher.ts";

const ROOT = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].find((folder) => existsSync(folder)) ?? "";
const cgroup = join(ROOT, `sktest-${process.pid}-launcher`);

let launcher: Launcher;
beforeEach(() => {
  mkdirSync(cgroup);
  launcher = new Launcher(effects, { PATH: process.env.PATH });
});
afterEach(async () => {
  allow("max");
  launcher.stop();
  await expect.poll(() => readFileSync(join(cgroup, "cgroup.procs"), "utf8"), { timeout: 60_000 }).toBe("");
  rmdirSync(cgroup);
});

const allow = (processes: string) => writeFileSync(join(cgroup, "pids.max"), processes);

function shellOf(agent: number): string {
  const found = readdirSync("/proc").find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.includes(LAUNCHER) && words.includes(`${agent}`);
    } catch {
      return false; // it has ended meanwhile
    }
  });
  if (!found) throw new Error("no launcher runs");
  return found;
}

test.each([
  ["the shell of a program", "2", "no process left for a program"],
  ["the shell itself", "1", "the shell that starts programs has ended"],
])("where only %s can be started, that is told, and others are started later", async (_what, processes, told) => {
  expect((await launcher.run("true", [])).code).toBe(0);
  const shell = shellOf(process.pid);
  writeFileSync(join(cgroup, "cgroup.procs"), shell);
  // What ended before may take a moment to be no process any more.
  await expect.poll(() => readFileSync(join(cgroup, "cgroup.procs"), "utf8").trim()).toBe(shell);
  allow(processes);
  await expect(launcher.run("echo", ["never"])).rejects.toThrow(told);
  allow("max");
  expect(await launcher.run("echo", ["again"])).toMatchObject({ code: 0, stdout: "again\n" });
});
