/** `npm run build`: the Worker and the command as one file each, as the npm package carries them. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { buildWorker, packageRoot } from "./bundle.ts";

const root = packageRoot();
await buildWorker(root, join(root, "dist/worker.js"));
const { build } = await import("esbuild");
const outfile = join(root, "dist/skerry.js");
await build({
  entryPoints: [join(root, "agent/main.ts")],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  external: ["esbuild"],
  // Dependencies that are CommonJS inside an ES module need a require of their own.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "error",
});
chmodSync(outfile, 0o755);
