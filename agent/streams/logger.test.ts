import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loggerRuns } from "./logger.ts";

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

test("a container's logger runs as long as its process is there", () => {
  process(7, ["nerdctl", "_NERDCTL_INTERNAL_LOGGING", "/data"], ["CONTAINER_ID=abc", "CONTAINER_NAMESPACE=k8s"]);
  expect(loggerRuns("abc", proc)).toBe(true);
  rmSync(join(proc, "7"), { recursive: true });
  expect(loggerRuns("abc", proc)).toBe(false);
});

test("another container's logger and another program of the container do not count", () => {
  process(7, ["nerdctl", "_NERDCTL_INTERNAL_LOGGING", "/data"], ["CONTAINER_ID=abcd"]);
  process(8, ["sh"], ["CONTAINER_ID=abc"]);
  mkdirSync(join(proc, "9")); // its files are gone already
  expect(loggerRuns("abc", proc)).toBe(false);
});
