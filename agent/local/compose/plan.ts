/** From the command line to what it asks for, and to the cluster that it asks. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Effects } from "../../../worker/lib/effects.ts";
import { convertProject, type Plan, projectSelector } from "../../compose/convert/project.ts";
import { type Disk, loadProject, type Project, projectName } from "../../compose/load/load.ts";
import { problemText } from "../../compose/tree.ts";
import type { Timers } from "../../effects.ts";
import type { Home } from "../home.ts";
import type { Progress } from "../install.ts";
import { type Reach, reach } from "../reach.ts";
import { ProjectApi } from "./api.ts";

export type ComposeContext = { home: Home; progress: Progress; effects: Effects & Timers };

export type ComposeOptions = Reach & {
  file?: string[];
  project?: string;
  namespace?: string;
  profile?: string[];
  envFile?: string[];
  /** What cannot be had is left out. */
  ignoreUnsupported?: boolean;
};

export const say = (line: string) => process.stdout.write(`${line}\n`);

const disk: Disk = {
  read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined),
  list: (path) => (existsSync(path) && statSync(path).isDirectory() ? readdirSync(path) : undefined),
};

function load(options: ComposeOptions): Project {
  const { file = [], project, profile = [], envFile = [] } = options;
  const folder = process.cwd();
  const files = file.length > 0 ? file : (process.env.COMPOSE_FILE?.split(":") ?? []);
  const absolute = (paths: readonly string[]) => paths.map((path) => resolve(folder, path));
  return loadProject(disk, {
    files: absolute(files),
    folder,
    envFiles: absolute(envFile),
    project,
    profiles: profile,
    environment: process.env,
  });
}

/** Tells what is wrong with the files and what cannot be had; goes on only where nothing stands in the way. */
export function planOf({ progress }: ComposeContext, options: ComposeOptions): Plan {
  const plan = convertProject(load(options), disk, options.namespace);
  const problems = plan.problems.toSorted((a, b) => a.at.line - b.at.line);
  for (const problem of problems) progress(`${problem.severity}: ${problemText(problem)}`);
  const count = (severity: string) => problems.filter((problem) => problem.severity === severity).length;
  if (count("invalid") > 0) throw new Error("what is invalid has to be put right: nothing was done");
  if (count("refused") > 0 && !options.ignoreUnsupported)
    throw new Error("not all of that can be had: nothing was done; with --ignore-unsupported the refused is left out");
  return plan;
}

/** Of commands that need no more than the names. */
export async function apiOf(
  { home }: ComposeContext,
  options: ComposeOptions,
): Promise<{ api: ProjectApi; project: string; namespace: string }> {
  const project = options.project === undefined ? load(options).name : projectName(options.project);
  const namespace = options.namespace ?? project;
  return { api: new ProjectApi(await reach(home, options), namespace, projectSelector(project)), project, namespace };
}
