import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { whyNoIPv6 } from "./family.ts";

let sysctls: string;

beforeEach(() => {
  sysctls = mkdtempSync(join(tmpdir(), "skerry-family-"));
});

afterEach(() => rmSync(sysctls, { recursive: true }));

test.each([
  [{ all: "0", default: "0" }, undefined],
  [{ all: "1", default: "1" }, "net.ipv6.conf.all.disable_ipv6 is 1"],
  [{ all: "0", default: "1" }, "net.ipv6.conf.default.disable_ipv6 is 1"],
])("where disable_ipv6 is %j: %s", (disabled, why) => {
  for (const [name, value] of Object.entries(disabled)) {
    mkdirSync(join(sysctls, "conf", name), { recursive: true });
    writeFileSync(join(sysctls, "conf", name, "disable_ipv6"), `${value}\n`);
  }
  expect(whyNoIPv6(sysctls)).toBe(why);
});

test("a kernel without IPv6 has none", () => {
  expect(whyNoIPv6(join(sysctls, "none"))).toBe("the kernel has no IPv6");
});
