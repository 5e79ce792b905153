import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { listenAsCluster } from "../../../test/support/api-server.ts";
import { effects } from "../../effects.ts";
import { apiOf } from "./plan.ts";
import { isReplaced, type UpOptions, up } from "./up.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-compose-"));
const file = join(folder, "compose.yaml");
const kubeconfig = join(folder, "kubeconfig");
const told: string[] = [];
const context = { home: { path: folder, port: 0 }, effects, progress: (text: string) => void told.push(text) };
const options: UpOptions = { cluster: "default", kubeconfig, file: [file], wait: false, timeout: 60 };

let stored: Record<string, object[]>;
let asked: string[];

/** A cluster that has what `stored` says, by resource, until that is deleted. */
const http = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
  const [, , resource = "", name] = /\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?/.exec(pathname) ?? [];
  const body = await buffer(request);
  const json = (code: number, value: unknown) => response.writeHead(code).end(JSON.stringify(value));
  if (request.method !== "GET" && !searchParams.has("dryRun")) asked.push(`${request.method} ${resource}/${name}`);
  if (request.method === "PATCH") return json(200, JSON.parse(body.toString()));
  if (!resource) return json(200, {});
  if (!name) return json(200, { items: stored[resource] ?? [] });
  const found = stored[resource]?.find((object) => (object as { metadata: { name: string } }).metadata.name === name);
  if (request.method === "DELETE") stored[resource] = [];
  return found ? json(200, found) : json(404, { message: "not found" });
});

beforeAll(() => listenAsCluster(http, kubeconfig));
beforeEach(() => {
  stored = {};
  asked = [];
});
afterAll(() => {
  http.close();
  rmSync(folder, { recursive: true });
});

test("workloads that are gone from the file are pruned first, files only when all else was applied", async () => {
  writeFileSync(file, "name: shop\nservices: { web: { image: web } }\n");
  stored = {
    deployments: [{ metadata: { name: "old" } }],
    configmaps: [{ metadata: { name: "old-conf" } }],
    secrets: [{ metadata: { name: "old-secret" } }],
  };
  await up(context, options);
  expect(asked).toEqual([
    "DELETE deployments/old",
    "PATCH services/web",
    "PATCH deployments/web",
    "DELETE configmaps/old-conf",
    "DELETE secrets/old-secret",
  ]);
});

test("a Job that failed, or is another, is made anew; a dry run says so", async () => {
  writeFileSync(file, "name: shop\nservices: { setup: { image: web, restart: 'no' } }\n");
  const job = (status: object) => ({
    metadata: { name: "setup", annotations: { "skerry.dev/template": "x" } },
    status,
  });
  stored = { jobs: [job({})], services: [{ metadata: { name: "setup" } }] };
  const said: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean(said.push(String(text))));
  try {
    await up(context, { ...options, dryRun: true });
  } finally {
    write.mockRestore();
  }
  expect(said).toContain("job.batch/setup replaced (dry run)\n");
  expect(asked).toEqual([]);
  await up(context, options);
  expect(asked).toEqual(["PATCH services/setup", "DELETE jobs/setup", "PATCH jobs/setup"]);
  const metadata = { name: "setup", resourceVersion: "1", annotations: { "skerry.dev/template": "x" } };
  const same = { apiVersion: "batch/v1", kind: "Job", metadata };
  const standing = (type: string) => ({ ...same, status: { conditions: [{ type, status: "True" }] } });
  expect([isReplaced(standing("Failed"), same), isReplaced(standing("Complete"), same)]).toEqual([true, false]);
});

test("a project's name on the command line is as `up` has it", async () => {
  expect(await apiOf(context, { ...options, project: "My_Shop" })).toMatchObject({
    project: "my-shop",
    namespace: "my-shop",
  });
});

test("a service comes without what it needs only where that is said to be not required", async () => {
  const wants = (more: string) =>
    writeFileSync(
      file,
      `name: shop
services: { db: { image: db }, web: { image: web, depends_on: { db: { condition: service_started${more} } } } }\n`,
    );
  // What this cluster is sent is not there afterwards.
  wants("");
  await expect(up(context, options)).rejects.toThrow("db: it was deleted meanwhile");
  expect(asked).not.toContain("PATCH deployments/web");
  wants(", required: false");
  await up(context, options);
  expect(asked).toContain("PATCH deployments/web");
  expect(told).toEqual(["web comes without it: db: it was deleted meanwhile"]);
});
