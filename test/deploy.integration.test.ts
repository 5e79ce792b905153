/** The bundle that `skerry deploy` would send to Cloudflare, run by Miniflare. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../agent/process.ts";
import { administratorToken } from "../worker/lib/administrator.ts";

const MAIN = join(import.meta.dirname, "../agent/main.ts");
/** The free plan's limit of a script, compressed. */
const MAX_SCRIPT_BYTES = 3 * 1024 * 1024;
const SECRET = "the secret of this deployment";

const home = mkdtempSync(join(tmpdir(), "skerry-deploy-"));
const bundle = join(home, "deploy/index.js");
let miniflare: Miniflare;

beforeAll(async () => {
  const done = await run(process.execPath, [MAIN, "deploy", "--dry-run"], {
    env: { ...process.env, SKERRY_HOME: home },
  });
  expect(done.stderr).toContain("nothing was deployed");
  miniflare = await start({ SKERRY_SECRET: SECRET });
});

async function start(bindings: Record<string, string>): Promise<Miniflare> {
  const started = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: readFileSync(bundle, "utf8"),
      compatibilityDate: "2026-11-01",
      bindings,
      durableObjects: {
        CLUSTER: { className: "Cluster", useSQLite: true },
        RELAY: { className: "Relay", useSQLite: true },
      },
    }),
  );
  await started.ready;
  return started;
}
afterAll(async () => {
  await miniflare?.dispose();
  rmSync(home, { recursive: true, force: true });
});

async function ask(path: string, token?: string, body?: unknown) {
  const response = await miniflare.dispatchFetch(`https://skerry.test${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return {
    code: response.status,
    body: (await response.json()) as { message?: string; items?: { metadata: { name: string } }[] },
  };
}

describe("the deployed bundle", () => {
  test("fits the free plan", () => {
    expect(statSync(bundle).size).toBeGreaterThan(100_000);
    expect(gzipSync(readFileSync(bundle)).length).toBeLessThan(MAX_SCRIPT_BYTES);
  });

  test("makes a cluster for its administrator, and none for others", async () => {
    expect(await ask("/clusters/shore/api/v1/namespaces")).toMatchObject({
      code: 401,
      body: { message: "Unauthorized" },
    });
    const token = await administratorToken(SECRET, "shore");
    const { code, body } = await ask("/clusters/shore/api/v1/namespaces", token);
    expect(code).toBe(200);
    expect(body.items?.map(({ metadata }) => metadata.name)).toEqual([
      "default",
      "kube-node-lease",
      "kube-public",
      "kube-system",
    ]);
  });

  test("keeps clusters apart: one's token is a stranger's in another", async () => {
    const [shore, reef] = [await administratorToken(SECRET, "shore"), await administratorToken(SECRET, "reef")];
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "only-here" } };
    expect((await ask("/clusters/reef/api/v1/namespaces", reef, namespace)).code).toBe(201);
    expect((await ask("/clusters/reef/api/v1/namespaces", shore)).code).toBe(401);
    expect((await ask("/clusters/shore/api/v1/namespaces/only-here", shore)).code).toBe(404);
  });

  test("without a secret, or with a guessable one, it serves no one", async () => {
    const without: Record<string, string>[] = [{}, { SKERRY_SECRET: "" }, { SKERRY_SECRET: "short" }];
    for (const bindings of without) {
      const bare = await start(bindings);
      try {
        const response = await bare.dispatchFetch("https://skerry.test/api/v1/namespaces", {
          headers: { authorization: "Bearer x" },
        });
        expect(response.status).toBe(503);
        expect(await response.text()).toContain("SKERRY_SECRET");
      } finally {
        await bare.dispose();
      }
    }
  });

  test("a name that no URL should have is nobody's cluster", async () => {
    expect((await ask("/clusters/No.Name/api/v1/namespaces", "x")).code).toBe(404);
  });
});
