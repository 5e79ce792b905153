/** An operator of controller-runtime, in pods of the cluster that it works for. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { ownProgram } from "../support/upstream.ts";

const PROGRAMS = join(import.meta.dirname, "programs");

/** What any operator logs as errors: it writes by what it saw last, and its leader dies in the test. */
const USUAL = [
  "the object has been modified; please apply your changes to the latest version and try again",
  // Two replicas begin at once, and one of them makes the Lease.
  'leases.coordination.k8s.io \\"site-operator\\" already exists',
  // Where the whole machine stands still for a while.
  "TLS handshake timeout",
  "context deadline exceeded",
];

let cluster: TestCluster;

beforeAll(async () => {
  const operator = await ownProgram(PROGRAMS, "operator", console.log);
  cluster = await TestCluster.start();
  await cluster.load({ tag: "docker.io/library/operator:test", programs: { operator } });
  await cluster.apply(readFileSync(join(PROGRAMS, "operator/manifests.yaml"), "utf8"));
  await cluster.ok("rollout status -n operators deployment/site-operator --timeout=90s");
});
afterAll(async () => {
  await cluster?.stop();
});

const field = (what: string, path: string) => cluster.ok(["get", ...what.split(" "), "-o", `jsonpath=${path}`]);
const site = (name: string, page: string, replicas = 1) =>
  cluster.apply(
    JSON.stringify({ apiVersion: "example.com/v1", kind: "Site", metadata: { name }, spec: { page, replicas } }),
  );
const ready = (name: string) => cluster.ok(`wait --for=condition=Ready site/${name} --timeout=60s`);
const leader = async () => (await field("lease -n operators site-operator", "{.spec.holderIdentity}")).split("_")[0];

describe("an operator", () => {
  test("brings what a custom resource wants to its end, and tells it in the status", async () => {
    await site("blog", "hello", 2);
    await ready("blog");
    expect(await field("deployment blog", "{.status.availableReplicas}")).toBe("2");
    await eventually(
      "it serves",
      async () => (await cluster.ok("exec deployment/blog -- wget -qO- http://127.0.0.1:8080/")) === "hello",
    );
    const row = (await cluster.ok("get st blog --no-headers")).trim().split(/\s+/);
    expect(row).toEqual(["blog", "2", "True"]);
    await eventually("an event", async () =>
      (await cluster.ok("events --for=site/blog")).includes("Deployment blog was created"),
    );
  });

  test("follows changes: of the resource, by its scale, and of what it owns", async () => {
    await cluster.ok("scale site/blog --replicas=1");
    await eventually("one replica", async () => (await field("site blog", "{.status.replicas}")) === "1");
    await cluster.ok(["patch", "site", "blog", "--type=merge", "-p", '{"spec":{"page":"news"}}']);
    const page = () => field("configmap blog", "{.data.index\\.html}");
    await eventually("the page", async () => (await page()) === "news");
    await cluster.ok([
      "patch",
      "configmap",
      "blog",
      "--type=merge",
      "-p",
      '{"data":{"index.html":"forged","own":"x"}}',
    ]);
    await eventually("the page is put right", async () => (await page()) === "news");
    expect(await field("configmap blog", "{.data.own}")).toBe("x");
    const { uid } = (await cluster.json<{ metadata: { uid: string } }>("get configmap blog")).metadata;
    await cluster.ok("delete configmap blog");
    await eventually("another page", async () => (await field("configmap blog", "{.metadata.uid}")) !== uid);
  });

  test("refuses by its webhook, and warns", async () => {
    await expect(site("big", "x", 5)).rejects.toThrow(
      'admission webhook "sites.example.com" denied the request: a site has at most 4 replicas',
    );
    const scaled = await cluster.kubectl('patch site blog --type=merge -p {"spec":{"replicas":3}}');
    expect(scaled.stderr).toContain("Warning: 3 replicas are many");
    await ready("blog");
  });

  test("goes on when its leader dies", async () => {
    const first = await leader();
    await cluster.ok(`delete pod -n operators ${first} --grace-period=0 --force`);
    await eventually("another leads", async () => ![first, ""].includes(await leader()));
    await site("shop", "news");
    await ready("shop");
    const unique = async (name: string) => field(`site ${name}`, '{.status.conditions[?(@.type=="Unique")].status}');
    await eventually("it is told to be the same", async () => (await unique("shop")) === "False");
    await cluster.ok("rollout status -n operators deployment/site-operator --timeout=60s");
  });

  test("cleans up: its finalizer runs, and what it owned goes", async () => {
    await cluster.ok("delete site blog shop --timeout=60s");
    const ledger = await cluster.json<{ data: Record<string, string> }>("get configmap -n operators ledger");
    expect(ledger.data).toEqual({ blog: "news", shop: "news" });
    await eventually("nothing is left", async () => {
      const left = await cluster.ok("get deployments,replicasets,pods,configmaps -o name");
      return left.trim() === "configmap/kube-root-ca.crt";
    });
  });

  test("complains of nothing", async () => {
    const lines = (await cluster.ok("logs -n operators -l app=site-operator --tail=-1")).split("\n");
    const complaints = lines.filter((line) => /"level":"(error|warn)|^[EWF]\d{4} /.test(line));
    expect(complaints.filter((line) => !USUAL.some((usual) => line.includes(usual)))).toEqual([]);
  });

  test("goes with its definition", async () => {
    await site("last", "x", 0);
    await eventually("its end is guarded", async () => (await field("site last", "{.metadata.finalizers}")) !== "");
    await cluster.ok("delete crd sites.example.com --timeout=60s");
    expect(await field("configmap -n operators ledger", "{.data.last}")).toBe("x");
  });
});
