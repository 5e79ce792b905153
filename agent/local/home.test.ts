import { expect, test } from "vitest";
import { DEFAULT_HOME, homeFromEnvironment } from "./home.ts";

test("a home is a folder of a disk", () => {
  expect(homeFromEnvironment({})).toEqual({ path: DEFAULT_HOME, port: 6443 });
  for (const path of ["/srv/proc", "/procession", "proc"])
    expect(homeFromEnvironment({ SKERRY_HOME: path }).path).toBe(path);
  for (const path of ["/proc", "/proc/skerry", "/srv/../proc/1/skerry", "/sys/skerry"])
    expect(() => homeFromEnvironment({ SKERRY_HOME: path })).toThrow(`${path} belongs to the kernel`);
});
