/** `npm run build`: the Worker as one file, and the command in a few, as the npm package carries them. */
import { chmodSync, copyFileSync, cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { buildAgent, REQUIRE } from "../update/build.ts";
import { buildPage, buildWorker, packageRoot, writeAgent } from "./bundle.ts";

const root = packageRoot();
await buildWorker(root, join(root, "dist/worker.js"));
await buildPage(root);
const { build } = await import("esbuild");
const bin = join(root, "dist/skerry.js");
const { metafile } = await build({
  entryPoints: [
    { in: join(root, "agent/main.ts"), out: "skerry" },
    { in: join(root, "agent/kubectl.ts"), out: "kubectl-skerry" },
  ],
  outdir: join(root, "dist"),
  bundle: true,
  // What a process does not run, it need not read: the supervisor starts a quarter sooner without the agent's code.
  splitting: true,
  chunkNames: "chunk-[hash]",
  metafile: true,
  platform: "node",
  format: "esm",
  target: "node22",
  external: ["esbuild"],
  banner: { js: REQUIRE },
  logLevel: "error",
});
const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of readdirSync(join(root, "dist")))
  if (/^chunk-.*\.js$/.test(name) && !made.has(name)) rmSync(join(root, "dist", name));
for (const program of [bin, join(root, "dist/kubectl-skerry.js")]) chmodSync(program, 0o755);
copyFileSync(join(root, "agent/local/keep.sh"), join(root, "dist/keep.sh"));
copyFileSync(join(root, "agent/update/run.sh"), join(root, "dist/run.sh"));
rmSync(join(root, "dist/agent"), { recursive: true, force: true });
await writeAgent(root);
writeFileSync(join(root, "dist/agent.tgz"), await buildAgent(root));
cpSync(join(root, "agent/local/nerdctl-module"), join(root, "dist/nerdctl-module"), { recursive: true });
