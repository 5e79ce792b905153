/**
 * Sizes of folders that the file system holds to: a project of its own for each, with a quota, on ext4 and xfs that are
 * mounted with `prjquota`. The file system keeps both, whatever becomes of the agent.
 * https://man7.org/linux/man-pages/man8/setquota.8.html, chattr(1)
 */
import { basename } from "node:path";
import { fnv32 } from "../../../worker/lib/fnv.ts";
import { which } from "../../local/install.ts";
import { run } from "../../process.ts";
import { type MountedOn, mountOf } from "../mounts.ts";

/** What is in a folder is bounded, or nothing does it. */
export type Sizes = {
  /**
   * At most so many bytes from now on. What is more than that already stays, and nothing is added. A folder that never
   * had a bound gets one only where `mayAdopt` says so when its turn comes: no program may be in it meanwhile.
   */
  limit(folder: string, bytes: number, mayAdopt: () => boolean): Promise<void>;
  /** The folder is about to be removed: what was noted of it may be another's then. */
  free(folder: string): Promise<void>;
};

const TYPES = ["ext4", "xfs"];
const PROGRAMS = { setquota: "quota", repquota: "quota", chattr: "e2fsprogs", lsattr: "e2fsprogs" };

/** The sizes of what lies below `path`, or why they are not held to. */
export function sizesIn(path: string): Sizes | string {
  const mount = mountOf(path);
  const why = refusal(mount);
  return why ?? new ProjectQuotas(mount.first);
}

export function refusal(
  { type, point, options }: Pick<MountedOn, "type" | "point" | "options">,
  has: (program: string) => boolean = (program) => which(program) !== undefined,
): string | undefined {
  if (!TYPES.includes(type)) return `${point} is of type ${type}: ${TYPES.join(" and ")} have project quotas`;
  if (!options.includes("prjquota")) return `${type} at ${point} is not mounted with prjquota`;
  const [missing] = Object.entries(PROGRAMS).filter(([program]) => !has(program));
  return missing && `the program ${missing[0]} is missing: the package ${missing[1]} has it`;
}

/** Those of users begin at 1, kubelets' at 2^20. */
const FIRST_PROJECT = 2 ** 24;
const PROJECTS = 2 ** 30;
const KIBIBYTE = 1024;

export class ProjectQuotas implements Sizes {
  readonly #point: string;
  /** Projects are looked for and taken one at a time. */
  #adopting: Promise<unknown> = Promise.resolve();

  constructor(point: string) {
    this.#point = point;
  }

  async limit(folder: string, bytes: number, mayAdopt: () => boolean): Promise<void> {
    const project = await this.#projectFor(folder, mayAdopt);
    if (project !== undefined) await this.#bound(project, Math.ceil(bytes / KIBIBYTE));
  }

  async free(folder: string): Promise<void> {
    const project = await projectOf(folder);
    if (project !== undefined) await this.#bound(project, 0);
  }

  /** In KiB; 0 is no bound, and then nothing is kept of a project that has no files. */
  async #bound(project: number, kibibytes: number): Promise<void> {
    await must("setquota", ["-P", `${project}`, "0", `${kibibytes}`, "0", "0", this.#point]);
  }

  #projectFor(folder: string, mayAdopt: () => boolean): Promise<number | undefined> {
    const adopted = this.#adopting.then(async () => {
      const own = await projectOf(folder);
      // A program in it could put links in the place of folders, which lead this to another's files, and could not
      // rename what has a project to where there is none yet.
      if (own !== undefined || !mayAdopt()) return own;
      const project = nextProject(basename(folder), await this.#inUse());
      const set = ["-p", `${project}`];
      const each = (type: string, ...flags: string[]) =>
        ["-type", type, "-exec", "chattr", ...set, ...flags, "{}", "+"] as const;
      // The folder itself comes last: what it has tells that all that is in it has it, too. Links and devices cannot.
      await must("find", [folder, "-xdev", "-mindepth", "1", ...each("f"), "-o", ...each("d", "+P")]);
      await must("chattr", [...set, "+P", folder]);
      return project;
    });
    this.#adopting = adopted.catch(() => {});
    return adopted;
  }

  async #inUse(): Promise<ReadonlySet<number>> {
    const report = await must("repquota", ["-P", "-n", this.#point]);
    return new Set([...report.matchAll(/^#(\d+)\s/gm)].map(([, id]) => Number(id)));
  }
}

/** The first that nobody has, from where the name says: one that was removed just now is rarely next. */
export function nextProject(name: string, inUse: ReadonlySet<number>): number {
  let project = FIRST_PROJECT + (fnv32(name) % PROJECTS);
  while (inUse.has(project)) project++;
  return project;
}

/** Undefined where the folder has none that what is made in it gets, too, or is not there. */
async function projectOf(folder: string): Promise<number | undefined> {
  const { code, stdout } = await run("lsattr", ["-p", "-d", folder]);
  const [, project, flags] = /^\s*(\d+)\s+(\S+)/.exec(stdout) ?? [];
  return code === 0 && Number(project) >= FIRST_PROJECT && flags?.includes("P") ? Number(project) : undefined;
}

async function must(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { env: { ...process.env, LC_ALL: "C" } });
  if (code !== 0) throw new Error(`${program}: ${stderr.trim().split("\n")[0] || `ended with ${code}`}`);
  return stdout;
}
