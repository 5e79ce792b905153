/** A chart's life with the real helm: custom resources, hooks, upgrade, rollback, uninstall. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../support/cluster.ts";
import { ensureHelm } from "../support/programs.ts";

let cluster: TestCluster;
let program: string;
let home: string;

beforeAll(async () => {
  program = await ensureHelm();
  cluster = await TestCluster.start();
  home = mkdtempSync(join(tmpdir(), "skerry-helm-"));
  cpSync(join(import.meta.dirname, "testdata/chart"), join(home, "chart"), { recursive: true });
});
afterAll(async () => {
  if (home) rmSync(home, { recursive: true, force: true });
  await cluster?.stop();
});

async function helm(args: string): Promise<string> {
  const env = ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map((name) => `${name}=${home}/${name}`);
  const done = await cluster.kubectl([...env, program, ...args.split(" ")], { kubectl: "env" });
  if (done.code !== 0) throw new Error(`helm ${args} ended with ${done.code}: ${done.all}\n${cluster.logs()}`);
  return done.stdout;
}

const color = () => cluster.ok("get configmap shop-web -o jsonpath={.data.color}");

test("install makes the CRDs, runs hooks in their order and waits until all is ready", async () => {
  const said = await helm(`install shop ${home}/chart --wait --timeout 300s --set color=red`);
  expect(said).toMatch(/STATUS: deployed\nREVISION: 1/);
  expect(await color()).toBe("red");
  expect(await cluster.ok("get deployment shop-web -o jsonpath={.status.readyReplicas}")).toBe("1");
  expect(await cluster.ok("get wares shop-ware -o jsonpath={.spec.size}")).toBe("3");
  // One hook reads what a hook of less weight has made; another is gone once it has succeeded.
  expect(await cluster.ok("get job shop-before -o jsonpath={.status.succeeded}")).toBe("1");
  expect(await cluster.ok("get jobs -o name")).toBe("job.batch/shop-before\n");
  expect(await helm("list -o json")).toContain('"status":"deployed"');
});

test("the chart's own test pod runs", async () => {
  expect(await helm("test shop --timeout 300s")).toMatch(/Phase:\s+Succeeded/);
});

test("upgrade changes what changed, and keeps what others have added", async () => {
  await cluster.ok("label configmap shop-web added=by-hand");
  const before = await cluster.ok("get deployment shop-web -o jsonpath={.metadata.uid}");
  const said = await helm(`upgrade shop ${home}/chart --wait --timeout 300s --set color=blue --set replicas=2`);
  expect(said).toContain("REVISION: 2");
  expect(await color()).toBe("blue");
  expect(await cluster.ok("get deployment shop-web -o jsonpath={.metadata.uid},{.status.readyReplicas}")).toBe(
    `${before},2`,
  );
  expect(await cluster.ok("get configmap shop-web -o jsonpath={.metadata.labels.added}")).toBe("by-hand");
});

test("what does not become ready is told, and the release is failed", async () => {
  await expect(helm(`upgrade shop ${home}/chart --wait --timeout 5s --set image=nowhere:1`)).rejects.toThrow(
    /context deadline exceeded|timed out/,
  );
  expect(await helm("history shop -o json")).toContain('"status":"failed"');
});

test("rollback brings the first revision back", async () => {
  await helm("rollback shop 1 --wait --timeout 300s");
  expect(await color()).toBe("red");
  expect(await cluster.ok("get deployment shop-web -o jsonpath={.spec.replicas}")).toBe("1");
  const history = JSON.parse(await helm("history shop -o json")) as { revision: number; status: string }[];
  expect(history.map(({ revision, status }) => `${revision} ${status}`)).toEqual([
    "1 superseded",
    "2 superseded",
    "3 failed",
    "4 deployed",
  ]);
});

test("dry runs say what would be and change nothing", async () => {
  expect(await helm(`template shop ${home}/chart --validate --set color=green`)).toContain("color: green");
  expect(await helm("get manifest shop")).toContain("kind: Deployment");
  expect(await helm(`upgrade shop ${home}/chart --dry-run=server --set color=green`)).toContain("color: green");
  expect(await color()).toBe("red");
});

test("uninstall leaves nothing of the release but its CRDs", async () => {
  await helm("uninstall shop --wait --timeout 300s");
  expect(await cluster.ok("get deployment,configmap,job,ware,secret -l app.kubernetes.io/instance=shop -o name")).toBe(
    "",
  );
  expect(await cluster.ok("get secret -l owner=helm -o name")).toBe("");
  expect(await cluster.ok("get crd wares.shop.example.com -o name")).toContain("wares");
});
