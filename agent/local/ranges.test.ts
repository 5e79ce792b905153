import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ensureRanges } from "./ranges.ts";

function home(): string {
  const path = mkdtempSync(join(tmpdir(), "skerry-ranges-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

it("a dual-stack cluster has unique local addresses of its own, chosen once", () => {
  const path = home();
  const { ipv6 } = ensureRanges(path, true);
  expect(ipv6).toEqual({
    podCIDR: expect.stringMatching(/^fd[0-9a-f:]+::\/56$/),
    serviceCIDR: expect.stringMatching(/^fd[0-9a-f:]+:ffff::\/112$/),
    nodeMask: 64,
  });
  expect(ensureRanges(path).ipv6).toEqual(ipv6);
  expect(ensureRanges(home(), true).ipv6).not.toEqual(ipv6);
});

it("a cluster begins with one family or two, and stays so", () => {
  const path = home();
  expect(ensureRanges(path)).not.toHaveProperty("ipv6");
  expect(() => ensureRanges(path, true)).toThrow("IPv4 alone");
});
