import { type BuildOptions, build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { COMPATIBILITY_DATE } from "../../agent/local/workerd.ts";

/** A Worker of one module, Durable Objects that it exports, by their bindings, and buckets of R2 by theirs. The caller disposes of it. */
export async function startWorker(
  source: Pick<BuildOptions, "entryPoints" | "stdin">,
  classes: Readonly<Record<string, string>>,
  buckets: readonly string[] = [],
): Promise<Miniflare> {
  const { outputFiles } = await build({
    ...source,
    bundle: true,
    write: false,
    format: "esm",
    external: ["cloudflare:*", "node:*"],
  });
  const objects = Object.entries(classes).map(([binding, className]) => [binding, { className, useSQLite: true }]);
  const started = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: outputFiles[0]?.text ?? "",
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: ["nodejs_compat"],
      r2Buckets: [...buckets],
      durableObjects: Object.fromEntries(objects),
    }),
  );
  await started.ready;
  return started;
}
