import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isBusy, loggerOf, withoutNewlines } from "./logger.ts";

let proc = "";
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), "skerry-proc-"));
  mkdirSync(join(proc, "self"));
});
afterEach(() => rmSync(proc, { recursive: true }));

function process(pid: number, args: readonly string[], environment: readonly string[]): void {
  mkdirSync(join(proc, String(pid)));
  writeFileSync(join(proc, String(pid), "cmdline"), args.map((arg) => `${arg}\0`).join(""));
  writeFileSync(join(proc, String(pid), "environ"), environment.map((value) => `${value}\0`).join(""));
}

test("a container's logger is found as long as its process is there", () => {
  process(7, ["nerdctl", "_NERDCTL_INTERNAL_LOGGING", "/data"], ["CONTAINER_ID=abc", "CONTAINER_NAMESPACE=k8s"]);
  expect(loggerOf("abc", proc)).toBe(7);
  rmSync(join(proc, "7"), { recursive: true });
  expect(loggerOf("abc", proc)).toBeUndefined();
});

test("another container's logger and another program of the container do not count", () => {
  process(7, ["nerdctl", "_NERDCTL_INTERNAL_LOGGING", "/data"], ["CONTAINER_ID=abcd"]);
  process(8, ["sh"], ["CONTAINER_ID=abc"]);
  mkdirSync(join(proc, "9")); // its files are gone already
  expect(loggerOf("abc", proc)).toBeUndefined();
});

test("a process is busy while one of its threads is not asleep", () => {
  const thread = (id: number, state: string) => {
    mkdirSync(join(proc, "7/task", String(id)), { recursive: true });
    writeFileSync(join(proc, "7/task", String(id), "stat"), `${id} (a R b) ${state} 1 7`);
  };
  thread(7, "S");
  thread(8, "S");
  expect(isBusy(7, proc)).toBe(false);
  thread(8, "R");
  expect(isBusy(7, proc)).toBe(true);
  expect(isBusy(9, proc)).toBe(false);
});

test("the last lines lose the newlines that they did not have", () => {
  const entry = (log: string, stream = "stdout") => `${JSON.stringify({ log, stream, time: "t" })}\n`;
  const path = join(proc, "log");
  const before = entry("whole\n");
  writeFileSync(path, before + entry("out: \\n\n") + entry("err\n", "stderr"));
  withoutNewlines(path, before.length);
  expect(readFileSync(path, "utf8")).toBe(before + entry("out: \\n") + entry("err", "stderr"));
});
