import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORE_CONTRACT } from "./store.ts";

let miniflare: Miniflare;

beforeAll(async () => {
  const bundle = await build({
    entryPoints: [new URL("durable-worker.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "esm",
    external: ["cloudflare:*", "node:*"],
  });
  const options = {
    modules: true as const,
    script: bundle.outputFiles[0]?.text ?? "",
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["nodejs_compat"],
    durableObjects: { CASES: { className: "Case", useSQLite: true } },
  };
  miniflare = new Miniflare(convertV4MiniflareOptions(options));
  await miniflare.ready;
}, 30_000);

afterAll(() => miniflare.dispose());

describe("a store in a Durable Object", () => {
  test.each(STORE_CONTRACT)(
    "$name",
    async ({ name }) => {
      const response = await miniflare.dispatchFetch("http://contract", { method: "POST", body: name });
      expect(await response.text()).toBe("passed");
    },
    30_000,
  );
});
