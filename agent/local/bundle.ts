/** The Worker as one file, and the agent as a few. A clone builds them; a published package carries them. */
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PROGRAM } from "../update/versions.ts";

/** This program was built, and the Worker with it: it lies in `dist`. */
const isBuilt = () => existsSync(join(import.meta.dirname, "../package.json"));

/** Where package.json, node_modules and the Worker's source or bundle are. */
export const packageRoot = (): string => join(import.meta.dirname, isBuilt() ? ".." : "../..");

export async function ensureBundle(root: string): Promise<string> {
  const bundle = join(root, "dist/worker.js");
  if (isBuilt()) return bundle;
  if (await isCurrent(bundle, root, ["worker"])) return bundle;
  await buildWorker(root, bundle);
  return bundle;
}

/**
 * The path of the agent's program: small, as what Node.js needs to read TypeScript takes 40 MB. Agents that run go on with
 * the files that they were started with, whose names are of their content but for the programs' own.
 */
export async function ensureAgent(root: string): Promise<string> {
  const program = join(root, "dist/agent", PROGRAM);
  if (isBuilt() || (await isCurrent(program, root, ["agent", "worker"]))) return program;
  await writeAgent(root);
  return program;
}

export async function writeAgent(root: string): Promise<void> {
  const folder = join(root, "dist/agent");
  mkdirSync(folder, { recursive: true });
  const { agentFiles } = await import("../update/build.ts");
  const files = [...(await agentFiles(root))].toSorted(([name]) => (name === PROGRAM ? 1 : -1)); // it is complete, then
  for (const [name, bytes] of files) {
    const temporary = join(folder, `${name}.${process.pid}`);
    writeFileSync(temporary, bytes);
    renameSync(temporary, join(folder, name));
  }
}

async function isCurrent(made: string, root: string, folders: readonly string[]): Promise<boolean> {
  if (!existsSync(made)) return false;
  const times = await Promise.all(folders.map((folder) => newest(join(root, folder))));
  return Math.max(...times) < statSync(made).mtimeMs;
}

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  return Math.max(...entries.map((entry) => statSync(join(folder, entry)).mtimeMs));
}

export async function buildWorker(root: string, outfile: string, entry = join(root, "worker/index.ts")): Promise<void> {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    minify: true,
    keepNames: true,
    legalComments: "none",
    logLevel: "error",
  });
}
