/** The Worker as one file. A clone builds it; a published package carries it. */
import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** This program was built, and the Worker with it: it lies in `dist`. */
const isBuilt = () => existsSync(join(import.meta.dirname, "../package.json"));

/** Where package.json, node_modules and the Worker's source or bundle are. */
export const packageRoot = (): string => join(import.meta.dirname, isBuilt() ? ".." : "../..");

export async function ensureBundle(root: string): Promise<string> {
  const bundle = join(root, "dist/worker.js");
  if (isBuilt()) return bundle;
  if (existsSync(bundle) && (await newest(join(root, "worker"))) < statSync(bundle).mtimeMs) return bundle;
  await buildWorker(root, bundle);
  return bundle;
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
