/** Compose files of the shape that well-known applications have: what becomes of them is kept beside them. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { convertProject, objectsOf } from "./convert/project.ts";
import { type Disk, loadProject } from "./load/load.ts";
import { problemText } from "./tree.ts";

const ROOT = join(import.meta.dirname, "testdata");

const disk: Disk = {
  read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined),
  list: (path) => (existsSync(path) && statSync(path).isDirectory() ? readdirSync(path) : undefined),
};

test.each(readdirSync(ROOT))("%s", async (name) => {
  const folder = join(ROOT, name);
  const wanted = { files: [], folder, envFiles: [], profiles: name === "wordpress" ? ["setup"] : [], environment: {} };
  const plan = convertProject(loadProject(disk, wanted), disk);
  const lines = plan.problems.map((problem) => `${problem.severity}: ${problemText(problem)}\n`);
  const objects = objectsOf(plan).map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
  const relative = (text: string) => text.replaceAll(ROOT, "/compose");
  await expect(relative(objects.join("---\n"))).toMatchFileSnapshot(join(folder, "converted/objects.yaml"));
  await expect(relative(lines.join(""))).toMatchFileSnapshot(join(folder, "converted/told.txt"));
});
