/** A cluster with running pods is backed up while clients write, restored, and forked. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { administrator } from "../../agent/local/credentials.ts";
import type { Server } from "../../agent/local/http.ts";
import { run, spawn } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { Writer } from "../support/writes.ts";

type Pod = {
  metadata: { name: string; uid: string };
  spec: { nodeName?: string };
  status: {
    phase: string;
    containerStatuses?: { containerID: string; restartCount: number; ready: boolean; state: { running?: object } }[];
  };
};

let cluster: TestCluster;
let server: Server;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skerry-backup-"));
  cluster = await TestCluster.start();
  server = await administrator({ path: cluster.home, port: cluster.port });
  await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: c, image: "busybox:test", command: [sleep, "100000"] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: bare }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: c, image: "busybox:test", command: [sh, -c, "trap 'exit 1' TERM; while :; do sleep 1; done"] }]
`);
  await cluster.ok("wait --for=condition=Available deployment/web --timeout=120s");
  await cluster.ok("wait --for=condition=Ready pod/bare --timeout=120s");
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function skerry(...args: string[]): Promise<string> {
  const done = await cluster.skerry(...args);
  if (done.code !== 0) throw new Error(`skerry ${args.join(" ")} ended with ${done.code}:\n${done.stderr}`);
  return done.stdout + done.stderr;
}

const podsOf = async (args = "") => (await cluster.json<{ items: Pod[] }>(`get pods ${args}`.trim())).items;
const lives = async () =>
  (await podsOf()).map(({ metadata, status }) => [metadata.name, metadata.uid, status.containerStatuses]);
/** All that users see, without revisions. */
const everything = async () => {
  const text = await cluster.ok("get all --all-namespaces -o json");
  return JSON.parse(text.replaceAll(/"resourceVersion": "\d+"/g, '"resourceVersion": ""')) as unknown;
};
const containers = async () => (await cluster.nerdctl("-n", "k8s.io", "ps", "-q")).stdout.trim().split("\n").length;

function watch(revision: string): Promise<IncomingMessage> {
  const url = `${server.url}/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=${revision}`;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.token}` };
    request(url, { ca: server.ca, headers, agent: false }, resolve).on("error", reject).end();
  });
}

test("a backup that was made while clients wrote brings back what was then; pods that should still run do not stop", async () => {
  const file = join(folder, "a.backup");
  const writer = new Writer(server, { name: "w", lines: 4 });
  await eventually("clients have written", async () => writer.acknowledged.length > 20);
  const seen = async () => ({ all: await everything(), lives: await lives(), containers: await containers() });
  // Whatever is still told of pods that have just become ready is in the backup or not: they are to be at rest.
  const before = await eventually("a backup of pods at rest", async () => {
    const first = await seen();
    rmSync(file, { force: true });
    await skerry("backup", file);
    return JSON.stringify(await seen()) === JSON.stringify(first) && first;
  });
  const atBackup = writer.acknowledged.length;
  await eventually("clients go on writing", async () => writer.acknowledged.length > atBackup + 20);
  await writer.stop();
  expect(writer.failures).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  await cluster.ok("run late --image=busybox:test --restart=Never -- sleep 100000");
  await cluster.ok("wait --for=condition=Ready pod/late --timeout=60s");
  await cluster.ok("delete service web");
  const list = await cluster.ok("get --raw /api/v1/namespaces/default/configmaps?limit=1");
  const { metadata } = JSON.parse(list) as { metadata: { resourceVersion: string } };
  const watching = await watch(metadata.resourceVersion);

  expect(await cluster.skerry("restore", file)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--replace"),
  });
  await skerry("restore", file, "--replace");
  let told = "";
  for await (const chunk of watching.setEncoding("utf8")) told += chunk;
  expect(JSON.parse(told.trim().split("\n").at(-1) ?? "")).toMatchObject({
    type: "ERROR",
    object: { code: 410, reason: "Expired" },
  });

  await eventually("what is not in the backup ends", async () => (await containers()) === before.containers);
  await eventually("all live as before", async () => JSON.stringify(await lives()) === JSON.stringify(before.lives));
  await eventually("all is as it was", async () => JSON.stringify(await everything()) === JSON.stringify(before.all));
  // What was acknowledged before the backup began is there, and nothing of what came after it ended.
  const { items } = await cluster.json<{ items: { metadata: { name: string; resourceVersion: string } }[] }>(
    "get configmaps -l written=here",
  );
  const there = new Set(items.map(({ metadata: { name } }) => name));
  const firsts = writer.acknowledged.slice(0, 20).filter(({ name }) => !name.endsWith("last"));
  expect(firsts.filter(({ name }) => !there.has(name))).toEqual([]);
  expect(
    writer.acknowledged.slice(atBackup + 10).filter(({ name }) => !name.endsWith("last") && there.has(name)),
  ).toEqual([]);
  for (const item of items)
    expect(Number(item.metadata.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion));
  await cluster.ok("wait --for=condition=Ready node/node-a --timeout=60s");
});

test("what has stopped since the backup is started again, and what has started anew is told", async () => {
  const file = join(folder, "b.backup");
  await skerry("backup", file);
  const uids = (await podsOf("-l app=web")).map(({ metadata }) => metadata.uid);
  await cluster.ok("delete deployment web");
  await cluster.ok("wait --for=delete pod -l app=web --timeout=60s");
  await cluster.kubectl("exec bare -- kill 1"); // which may end with the container
  const restarts = async () =>
    (await podsOf()).find(({ metadata }) => metadata.name === "bare")?.status.containerStatuses?.[0];
  await eventually(
    "the container has started anew",
    async () => (await restarts())?.restartCount === 1 && (await restarts())?.ready === true,
  );
  const restarted = (await restarts())?.containerID;

  await skerry("restore", file, "--replace");
  await eventually("the node tells of it", async () => (await restarts())?.restartCount === 1);
  expect((await restarts())?.containerID).toBe(restarted);
  await cluster.ok("wait --for=condition=Available deployment/web --timeout=60s");
  await eventually("the pods run again", async () =>
    (await podsOf("-l app=web")).every(({ status }) => status.containerStatuses?.every((c) => c.ready)),
  );
  expect((await podsOf("-l app=web")).map(({ metadata }) => metadata.uid)).toEqual(uids);
  // The backup says that they run, too.
  await eventually("they do", async () => (await cluster.kubectl("exec deployment/web -- true")).code === 0);
});

test("a restore goes on when the control plane dies in the middle of it", async () => {
  const file = join(folder, "c.backup");
  const value = "x".repeat(200_000);
  for (let n = 0; n < 8; n++)
    await cluster.apply(
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: `big-${n}` }, data: { value } }),
      "--server-side",
    );
  await skerry("backup", file);
  await cluster.ok("delete configmap big-0 big-1");
  const restoring = skerry("restore", file, "--replace");
  await eventually("the control plane answers", async () => (await cluster.kubectl("get --raw /readyz")).code === 0);
  await cluster.kill("workerd");
  expect(await restoring).toContain("restored");
  const names = await eventually("the control plane is back", () => cluster.ok("get configmap -o name"));
  expect(names).toContain("configmap/big-0");
});

test("wherever a restore is killed, with the control plane, there is all of the old state or all of the new", async () => {
  const file = join(folder, "d.backup");
  const data = { value: "x".repeat(200_000) };
  const bigs = Array.from({ length: 40 }, (_, n) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `huge-${n}` },
    data,
  }));
  for (const big of bigs) await cluster.apply(JSON.stringify(big), "--server-side");
  await skerry("backup", file);
  const names = async () => (await cluster.ok("get configmap -o name")).split("\n").map((name) => name.split("/")[1]);
  for (const ms of [500, 800, 1100, 1500]) {
    await cluster.ok(`create configmap since-${ms}`);
    await cluster.ok("delete configmap huge-0 huge-39");
    const main = join(import.meta.dirname, "../../agent/main.ts");
    const restoring = spawn(process.execPath, [main, "restore", file, "--replace"], {
      env: cluster.environment,
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => restoring.once("exit", resolve));
    await effects.sleep(ms);
    restoring.kill("SIGKILL");
    await cluster.kill("workerd");
    await ended;
    await eventually("the control plane is back", async () => (await cluster.kubectl("get --raw /readyz")).code === 0);
    const there = await names();
    const isNew = there.includes("huge-0");
    expect([there.includes("huge-39"), there.includes(`since-${ms}`)]).toEqual([isNew, !isNew]);
    if (!isNew) await skerry("restore", file, "--replace");
    expect((await names()).filter((name) => name?.startsWith("huge-"))).toHaveLength(40);
  }
});

test("a fork has the workloads without the machines, and refuses the old cluster's tokens", async () => {
  const before = await lives();
  const account = (await cluster.ok("create token default")).trim();
  const out = await skerry("fork", "copy");
  expect(out).toContain("no nodes yet");
  const path = join(folder, "copy.kubeconfig");
  writeFileSync(path, (await cluster.skerry("kubeconfig", "--cluster", "copy")).stdout);
  const ok = async (...args: string[]) => {
    const done = await cluster.kubectl(["--kubeconfig", path, ...args]);
    if (done.code !== 0) throw new Error(done.all);
    return done.stdout;
  };
  expect(await ok("get", "nodes", "-o", "name")).toBe("");
  const pods = async () => (JSON.parse(await ok("get", "pods", "-o", "json")) as { items: Pod[] }).items;
  await eventually("the workloads are pending", async () => {
    const found = (await pods()).map(({ spec, status }) => `${spec.nodeName} ${status.phase}`);
    return found.join() === Array(3).fill("undefined Pending").join();
  });
  expect(await ok("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}")).toBe("2");
  const uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
  expect(await ok(...uid)).not.toBe(await cluster.ok(uid));

  const ask = async (url: string, token: string | undefined) => {
    const ca = join(cluster.home, "tls/ca.crt");
    const flags = [
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "--cacert",
      ca,
      "-H",
      `Authorization: Bearer ${token}`,
    ];
    return (await run("curl", [...flags, `${url}/api`])).stdout;
  };
  expect(await ask(server.url, account)).toBe("200");
  expect(await ask(`${server.url}/clusters/copy`, account)).toBe("401");
  expect(await ask(`${server.url}/clusters/copy`, server.token)).toBe("401");
  await eventually("all live as before", async () => JSON.stringify(await lives()) === JSON.stringify(before));
});

test("a file with a passphrase is opened with it alone, and what kubectl reads is a backup too", async () => {
  const [right, wrong, sealed, raw] = ["right", "wrong", "sealed", "raw"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  writeFileSync(right, "correct horse\n");
  writeFileSync(wrong, "battery staple\n");
  await skerry("backup", sealed, "--passphrase-file", right);
  expect(readFileSync(sealed).includes("kube-system")).toBe(false);
  const refused = await cluster.skerry("restore", sealed, "--replace", "--passphrase-file", wrong);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("the passphrase is another") });
  await skerry("restore", sealed, "--replace", "--passphrase-file", right);
  writeFileSync(raw, await cluster.ok("get --raw /skerry/backup"));
  await skerry("restore", raw, "--replace", "--kubeconfig", join(cluster.home, "kubeconfig"));
});

test("a cluster goes on elsewhere: another machine of the same name runs its pods, at its addresses", async () => {
  const file = join(folder, "moved.backup");
  await cluster.ok("wait --for=condition=Available deployment/web --timeout=60s");
  await skerry("backup", file);
  const uids = (await podsOf("-l app=web")).map(({ metadata }) => metadata.uid);
  const podCIDR = () => cluster.ok("get node node-a -o jsonpath={.spec.podCIDR}");
  const range = await podCIDR();
  do {
    await cluster.stop();
    cluster = await TestCluster.start();
  } while ((await podCIDR()) === range); // a home's range follows from its random name: one in eighty has the same
  await skerry("restore", file, "--replace");
  // What the backup says of the pods was true elsewhere; that they run shows in what runs in them.
  await eventually("the pods run", async () => (await cluster.kubectl("exec deployment/web -- true")).code === 0);
  await cluster.ok("wait --for=condition=Available deployment/web --timeout=90s");
  const moved = await cluster.json<{ items: (Pod & { status: { podIP: string } })[] }>("get pods -l app=web");
  expect(moved.items.map(({ metadata }) => metadata.uid)).toEqual(uids);
  await eventually("the pods have addresses of the cluster that was", async () => {
    const { items } = await cluster.json<typeof moved>("get pods -l app=web");
    return items.every(({ status }) => status.podIP.startsWith(range.split(".").slice(0, 3).join(".")));
  });
  const clusterIP = await cluster.ok("get service kubernetes -o jsonpath={.spec.clusterIP}");
  await eventually("its names are those of the cluster that was", async () =>
    (await cluster.ok("exec deployment/web -- nslookup kubernetes.default.svc.cluster.local")).includes(clusterIP),
  );
  await cluster.ok("wait --for=condition=Ready node/node-a --timeout=60s");
});
