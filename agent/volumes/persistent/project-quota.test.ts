import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { fnv32 } from "../../../worker/lib/fnv.ts";
import { nextProject, ProjectQuotas, refusal } from "./project-quota.ts";

test("sizes are held to where the file system can and is told to, and the programs are there", () => {
  const ext4 = { type: "ext4", point: "/srv", options: ["rw", "prjquota"] };
  const all = () => true;
  expect(refusal(ext4, all)).toBeUndefined();
  expect(refusal({ ...ext4, type: "xfs" }, all)).toBeUndefined();
  expect(refusal({ ...ext4, options: ["rw"] }, all)).toBe("ext4 at /srv is not mounted with prjquota");
  expect(refusal({ ...ext4, type: "btrfs" }, all)).toBe("/srv is of type btrfs: ext4 and xfs have project quotas");
  expect(refusal(ext4, (program) => program !== "setquota")).toBe(
    "the program setquota is missing: the package quota has it",
  );
});

test("a project is nobody's yet, and none that users or kubelets give", () => {
  const project = nextProject("pvc-1", new Set());
  expect(project).toBe(2 ** 24 + (fnv32("pvc-1") % 2 ** 30));
  expect(nextProject("pvc-1", new Set([project, project + 1]))).toBe(project + 2);
});

test("a folder that pods have is not walked through: only a project that it has already gets another bound", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-quota-"));
  const said = join(folder, "said");
  const program = (name: string, body = "") =>
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} "$@" >> ${said}\n${body}\n`, { mode: 0o755 });
  for (const name of ["setquota", "repquota", "chattr", "find"]) program(name);
  const has = (project: number, flags: string) => program("lsattr", `echo "${project} ${flags} $3"`);
  const taken = () => {
    const lines = existsSync(said) ? readFileSync(said, "utf8").trim().split("\n") : [];
    rmSync(said, { force: true });
    return lines.map((line) => line.split(" ").slice(0, 5).join(" "));
  };
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  try {
    const quotas = new ProjectQuotas("/srv");
    has(0, "--------------e-------");
    await quotas.limit("/srv/a", 2048, () => false);
    expect(taken()).toEqual(["lsattr -p -d /srv/a"]);
    has(2 ** 24 + 1, "--------------e----P--");
    await quotas.limit("/srv/a", 2048, () => false);
    expect(taken()).toEqual(["lsattr -p -d /srv/a", `setquota -P ${2 ** 24 + 1} 0 2`]);
    has(0, "--------------e-------");
    await quotas.limit("/srv/a", 2048, () => true);
    expect(taken().map((line) => line.split(" ")[0])).toEqual(["lsattr", "repquota", "find", "chattr", "setquota"]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});
