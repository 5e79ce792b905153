import { expect, test } from "vitest";
import { fnv32 } from "../../../worker/lib/fnv.ts";
import { nextProject, refusal } from "./project-quota.ts";

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
