import { join } from "node:path";
import { convertProject, objectsOf, type Plan } from "../convert/project.ts";
import { type Disk, loadProject, type Wanted } from "../load/load.ts";
import { problemText } from "../tree.ts";

/** Files by their path in `/shop`. */
export type Files = Record<string, string>;

export function diskOf(files: Files): Disk {
  const paths = new Map(Object.entries(files).map(([path, text]) => [join("/shop", path), text]));
  return {
    read(path) {
      const text = paths.get(path);
      return text === undefined ? undefined : new TextEncoder().encode(text);
    },
    list(path) {
      const inside = [...paths.keys()].filter((name) => name.startsWith(`${path}/`));
      const names = new Set(inside.map((name) => name.slice(path.length + 1).split("/")[0] ?? ""));
      return names.size > 0 ? [...names] : undefined;
    },
  };
}

type Converted = {
  plan: Plan;
  told: string[];
  /** The one object of this kind and name, as JSON has it. */
  find<T = Record<string, never>>(kind: string, name: string): T | undefined;
};

/** Of one compose file, or of several files. */
export function converted(files: Files | string, wanted: Partial<Wanted> = {}, namespace?: string): Converted {
  const disk = diskOf(typeof files === "string" ? { "compose.yaml": files } : files);
  const paths = wanted.files?.map((path) => join("/shop", path)) ?? [];
  const asked = { folder: "/shop", envFiles: [], profiles: [], environment: {}, ...wanted, files: paths };
  const plan = convertProject(loadProject(disk, asked), disk, namespace);
  return {
    plan,
    told: plan.problems.map((problem) => `${problem.severity}: ${problemText(problem)}`),
    find: <T>(kind: string, name: string) =>
      objectsOf(plan).find((object) => object.kind === kind && object.metadata.name === name) as T | undefined,
  };
}
