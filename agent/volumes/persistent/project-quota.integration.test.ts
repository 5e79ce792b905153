import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { inOwnKernel } from "../../../test/support/own-kernel.ts";
import { ensurePackages } from "../../../test/support/programs.ts";

const SCENARIO = join(import.meta.dirname, "project-quota.scenario.ts");

beforeAll(() => ensurePackages({ setquota: "quota", "mkfs.xfs": "xfsprogs", "mkfs.ext4": "e2fsprogs" }));

/** Kernels of small machines are often built without quotas. */
describe.each(["ext4", "xfs"])("on %s with project quotas", (type) => {
  test("a volume has the size that its claim asks for, from its first pod to its removal", async () => {
    const modules = ["quota_tree", "quota_v2", "loop"];
    const script = `${process.execPath} ${SCENARIO} ${type} $FOLDER`;
    expect(JSON.parse(await inOwnKernel({ modules, script }))).toEqual({
      without: expect.stringMatching(`^${type} at .* is not mounted with prjquota$`),
      filled: 10,
      second: 20,
      shown: 10240,
      grown: 15,
      afterRestart: 15,
      byNextAgent: 15,
      projects: 2,
      older: 6,
      restored: 6,
      freed: 2,
      failures: [],
    });
  });
});
