/** The Worker as one file, and the agent as a few. A clone builds them; a published package carries them. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
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

/** The folder of the page's files. */
export async function ensurePage(root: string): Promise<string> {
  const folder = join(root, "dist/page");
  if (isBuilt() || (await isCurrent(join(folder, "index.html"), root, ["page"]))) return folder;
  await buildPage(root);
  return folder;
}

/** Files of the page that go as they are. */
const ASSETS = ["icon.svg", "manifest.webmanifest", "service-worker.js"];

/** `index.html` is written last: it names the others, which are named by their content. */
export async function buildPage(root: string): Promise<void> {
  const { build } = await import("esbuild");
  const from = join(root, "page");
  const folder = join(root, "dist/page");
  const { metafile } = await build({
    entryPoints: [join(from, "main.tsx"), join(from, "style.css")],
    outdir: folder,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2024",
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    metafile: true,
    legalComments: "none",
    logLevel: "error",
  });
  const made = new Map(
    Object.entries(metafile.outputs).map(([path, { entryPoint }]) => [
      basename(path),
      entryPoint && basename(entryPoint),
    ]),
  );
  const nameOf = (entry: string) => [...made].find(([, from]) => from === entry)?.[0] ?? "";
  const kept = ["index.html", ...ASSETS];
  for (const name of readdirSync(folder))
    if (!made.has(name) && !kept.includes(name)) rmSync(join(folder, name), { recursive: true, force: true });
  for (const name of ASSETS) copyFileSync(join(from, name), join(folder, name));
  const html = readFileSync(join(from, "index.html"), "utf8");
  const index = join(folder, "index.html");
  writeFileSync(
    `${index}.${process.pid}`,
    html.replace("STYLE", nameOf("style.css")).replace("SCRIPT", nameOf("main.tsx")),
  );
  renameSync(`${index}.${process.pid}`, index); // it may be asked for meanwhile
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
