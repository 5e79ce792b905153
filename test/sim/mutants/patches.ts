/** The mutants: one small bug each, as a patch to the sources, under the line that says what it does. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const ROOT = join(import.meta.dirname, "../../..");
const FOLDER = import.meta.dirname;
const SOURCES = ["worker", "agent", "migrations", "test", "package.json"];

export const exec = promisify(execFile);

export type Mutant = { name: string; file: string; what: string };

export async function mutants(): Promise<Mutant[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".patch")).sort();
  return Promise.all(
    files.map(async (name) => {
      const file = join(FOLDER, name);
      const [what = ""] = (await readFile(file, "utf8")).split("\n");
      return { name: name.replace(/\.patch$/, ""), file, what };
    }),
  );
}

/** Throws what git says when a patch does not fit the sources in `folder`. */
export async function apply({ file }: Mutant, folder: string, ...options: string[]): Promise<void> {
  // Outside of its repository, so that git takes the folder for what it is; lines farther away may change.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: join(folder, ".."), GIT_DIR: "/nonexistent" };
  await exec("git", ["apply", "-C1", ...options, file], { cwd: folder, env });
}

/** The sources with a mutant in them, in a folder of their own; `remove` takes it away. */
export async function copied(mutant: Mutant): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), `skerry-${mutant.name}-`));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const source of SOURCES) await cp(join(ROOT, source), join(folder, source), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    await apply(mutant, folder);
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
