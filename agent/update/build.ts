/** Makes an agent out of the sources. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Plugin } from "esbuild";
import { PROGRAMS } from "../program.ts";
import { packArchive } from "./archive.ts";
import { requiredBuiltins } from "./builtins.ts";

/** `version` and `plugins` are for tests that need an agent other than the sources'. */
export type AgentBuild = { version?: string; plugins?: readonly Plugin[] };

/** The archive of an agent. */
export const buildAgent = async (root: string, options?: AgentBuild): Promise<Buffer> =>
  packArchive(await agentFiles(root, options));

/** What an agent consists of, by name; `PROGRAM` is what runs. */
export async function agentFiles(
  root: string,
  { version, plugins = [] }: AgentBuild = {},
): Promise<Map<string, Uint8Array>> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [
      { in: join(root, "agent/update/agent-alone.ts"), out: "skerry" },
      ...PROGRAMS.map((module) => ({ in: join(root, `agent/${module}.ts`), out: basename(module) })),
    ],
    outdir: "/",
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    legalComments: "none",
    chunkNames: "chunk-[hash]",
    platform: "node",
    format: "esm",
    target: "node22",
    external: ["esbuild"],
    banner: { js: REQUIRE },
    plugins: [requiredBuiltins, ...plugins, ...(version ? [versioned(version)] : [])],
    logLevel: "error",
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  files.set("package.json", Buffer.from('{"type":"module"}'));
  return files;
}

/** Dependencies that are CommonJS inside an ES module need a require of their own. */
export const REQUIRE =
  'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

const versioned = (version: string): Plugin => ({
  name: "version",
  setup(build) {
    build.onLoad({ filter: /\/package\.json$/ }, ({ path }) => {
      const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
      return { contents: JSON.stringify({ ...manifest, version }), loader: "json" };
    });
  },
});
