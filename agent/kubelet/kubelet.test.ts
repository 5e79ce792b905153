import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { effects } from "../effects.ts";
import type { FoundContainer } from "../pods/found.ts";
import type { Cgroup } from "./cgroup.ts";
import { Kubelet } from "./kubelet.ts";
import type { PodOnNode } from "./node.ts";
import { Observations } from "./observations.ts";

const home = mkdtempSync(join(tmpdir(), "kubelet-"));
afterAll(() => rmSync(home, { recursive: true }));

const entry = (log: string, stream: string, time: string) => `${JSON.stringify({ log, stream, time })}\n`;
const logPath = join(home, "c-json.log");
writeFileSync(
  logPath,
  entry("one\n", "stdout", "2026-01-01T00:00:01Z") + entry("two\n", "stderr", "2026-01-01T00:00:02Z"),
);

const pod: CoreV1Pod = {
  metadata: { name: "web", namespace: "default", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { containers: [{ name: "c", image: "app" }] },
};
/** The test itself stands for the pod's process. */
const current = {
  number: 0,
  id: "id",
  sandbox: "u-0",
  image: "app",
  imageID: "",
  imageName: "docker.io/library/app:1",
};
const memory = {
  uid: "u",
  name: "web",
  namespace: "default",
  startedAt: effects.now() - 60_000,
  sandbox: { id: "u-0", number: 0, running: true },
  sandboxes: 1,
  containers: { c: { current: { ...current, startedAt: effects.now() - 60_000, pid: process.pid, logPath } } },
  conditions: [],
} as PodOnNode["memory"];
const found: FoundContainer = { containerId: "id", pid: 1, logPath, running: false, tty: false, stdin: false };

/** Cgroups that all use half a processor, wherever they are. */
const figures = { usage: 2000, workingSet: 1000, rss: 500, cache: 500, mappedFile: 0, swap: 0, kernel: 0, max: 0 };
const cgroup: Cgroup = {
  version: 2,
  cpu: () => effects.now() * 5e5,
  cpuTimes: () => undefined,
  memory: () => ({ ...figures, activeFile: 0, inactiveFile: 0, failures: 0, pageFaults: 0, majorPageFaults: 0 }),
  throttling: () => undefined,
  spec: () => ({ cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 0, memoryLimit: 0, swapLimit: 0, reservation: 0 }),
  tasks: () => ({ processes: 3, threads: 3, maxThreads: 0 }),
  io: () => [],
  oomKills: () => 0,
  pressure: () => undefined,
};

function made(health?: string) {
  const observations = new Observations(effects.now);
  const kubelet = new Kubelet({
    name: "n",
    home,
    version: "v1.35.4+skerry.0",
    effects,
    pods: () => [pod],
    present: () => [{ pod, memory, deleted: false }],
    find: (namespace, name) => (namespace === "default" && name === "web" ? found : undefined),
    settings: (cgroupVersion) => ({
      port: 10250,
      clusterDomain: "cluster.local",
      dnsAddress: "10.96.0.10",
      podCIDR: "10.244.0.0/24",
      given: { maxPods: 7, nodeLabels: { a: "b" } },
      runtimeEndpoint: "unix:///run/c.sock",
      cgroupVersion,
    }),
    imageBytes: () => 5,
    runtimePid: () => undefined,
    certificateEnds: () => effects.now() + 1_000_000,
    health: () => health,
    observations,
    cgroup,
    log: () => {},
  });
  const ask = async (url: string, method = "GET") => {
    const { status, headers, body } = await kubelet.answer({ method, url });
    return { status, headers, text: typeof body === "string" ? body : await textOf(body) };
  };
  return { kubelet, ask, observations };
}

test.each([
  ["/healthz", 200, "ok"],
  ["/healthz/", 200, "ok"],
  ["/healthz/ping", 200, "ok"],
  ["/healthz/syncloop", 200, "ok"],
  ["/healthz?verbose", 200, "[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n"],
  ["/", 404, "404 page not found\n"],
  ["/healthz/none", 404, "404 page not found\n"],
  ["/debug/pprof/heap", 405, "profiling endpoint is disabled.\n"],
  ["/debug/flags/v", 405, "flags endpoint is disabled.\n"],
  ["/containerLogs/default/web", 404, "404 page not found\n"],
])("%s is answered by %i", async (path, status, text) => {
  expect(await made().ask(path)).toMatchObject({ status, text });
});

test("what is only to be read cannot be written", async () => {
  const { ask } = made();
  expect((await ask("/pods", "POST")).status).toBe(405);
  expect((await ask("/stats/summary?only_cpu_and_memory=true", "POST")).status).toBe(200);
});

test("health says what is wrong, but not why, where it is not asked for by name", async () => {
  const { ask } = made("the container runtime does not answer");
  const failed = "[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n";
  expect(await ask("/healthz")).toMatchObject({ status: 500, text: failed });
  expect((await ask("/healthz?exclude=syncloop")).status).toBe(200);
  expect((await ask("/healthz/syncloop")).text).toBe("internal server error: the container runtime does not answer\n");
});

test("pods are those wanted, and running ones as the runtime has them", async () => {
  const { ask } = made();
  expect(JSON.parse((await ask("/pods")).text)).toEqual({
    kind: "PodList",
    apiVersion: "v1",
    metadata: {},
    items: [pod],
  });
  const { items } = JSON.parse((await ask("/runningpods/")).text);
  expect(items).toMatchObject([
    { metadata: { name: "web", uid: "u" }, spec: { containers: [{ name: "c", image: "docker.io/library/app:1" }] } },
  ]);
});

test("the summary has the node and its pods, with all they use or with the least", async () => {
  const { ask, kubelet } = made();
  const full = JSON.parse((await ask("/stats/summary")).text);
  const light = JSON.parse((await ask("/stats/summary?only_cpu_and_memory=true")).text);
  kubelet.stop();
  expect(Object.keys(full.node)).toEqual(
    expect.arrayContaining([
      "nodeName",
      "cpu",
      "memory",
      "swap",
      "network",
      "fs",
      "runtime",
      "rlimit",
      "systemContainers",
    ]),
  );
  expect(full.node.memory.availableBytes).toBeGreaterThan(0);
  expect(full.node.cpu.usageNanoCores).toBeGreaterThan(0);
  expect(full.node.runtime.imageFs.usedBytes).toBe(5);
  const [web] = full.pods;
  expect(web.podRef).toEqual({ name: "web", namespace: "default", uid: "u" });
  expect(web.containers[0]).toMatchObject({ name: "c", cpu: {}, memory: {}, rootfs: {}, logs: { inodesUsed: 1 } });
  expect(web.containers[0].memory.workingSetBytes).toBe(1000);
  expect(web.containers[0].cpu.usageNanoCores).toBeGreaterThan(4e8);
  expect(web.process_stats.process_count).toBe(3);
  expect(web["ephemeral-storage"].usedBytes).toBeGreaterThanOrEqual(web.containers[0].logs.usedBytes);
  expect(Object.keys(light.node)).not.toContain("fs");
  expect(Object.keys(light.pods[0].containers[0])).toEqual(["name", "startTime", "cpu", "memory", "swap"]);
});

test("metrics of resources are those that metrics-server reads", async () => {
  const { text, headers } = await made().ask("/metrics/resource");
  expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const line of [
    /^node_cpu_usage_seconds_total [\d.]+ \d{13}$/m,
    /^node_memory_working_set_bytes \d+ \d{13}$/m,
    /^container_cpu_usage_seconds_total{container="c",namespace="default",pod="web"} [\d.]+ \d{13}$/m,
    /^container_memory_working_set_bytes{container="c",namespace="default",pod="web"} \d+ \d{13}$/m,
    /^container_start_time_seconds{container="c",namespace="default",pod="web"} [\d.]+$/m,
    /^pod_cpu_usage_seconds_total{namespace="default",pod="web"} [\d.]+ \d{13}$/m,
    /^resource_scrape_error 0$/m,
  ])
    expect(text).toMatch(line);
});

test("cAdvisor's metrics have the labels that dashboards select by", async () => {
  const { text } = await made().ask("/metrics/cadvisor");
  const labels = 'image="docker.io/library/app:1",name="id",namespace="default",pod="web"';
  expect(text).toMatch(
    new RegExp(`^container_cpu_usage_seconds_total{container="c",cpu="total",id="[^"]*",${labels}} `, "m"),
  );
  expect(text).toMatch(
    new RegExp(`^container_memory_working_set_bytes{container="c",id="[^"]*",${labels}} [1-9]`, "m"),
  );
  expect(text).toMatch(
    /^container_memory_usage_bytes{container="",id="\/",image="",name="",namespace="",pod=""} [1-9]/m,
  );
  expect(text).toMatch(/^machine_cpu_cores{.*} [1-9]/m);
  expect(text).toMatch(/^machine_memory_bytes{.*} [1-9]/m);
});

test("the agent is told of as a kubelet", async () => {
  const { ask, observations } = made();
  const run = observations.counting(async (_, args) => ({ code: args[0] === "rm" ? 1 : 0, stdout: "", stderr: "" }));
  await run("nerdctl", ["create", "-l", "skerry.dev/kind=app"]);
  expect(await observations.starting("app", async () => 7)).toBe(7);
  await expect(observations.starting("init", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await run("nerdctl", ["run", "-d", "-l", "skerry.dev/kind=pause"]);
  await run("nerdctl", ["rm", "-f", "id"]);
  const api = observations.watching(
    async () => ({ code: 200, body: {} }),
    "cluster",
    () => [{ pod, memory: { ...memory, startedAt: effects.now() }, deleted: false }],
  );
  await api("PATCH", "/api/v1/namespaces/default/pods/web/status", { status: { phase: "Running" } });
  const end = async (name: string, status: object) => {
    const failed = { ...memory, name, uid: name };
    const told = observations.watching(
      async () => ({ code: 200, body: {} }),
      "cluster",
      () => [{ pod, memory: failed, deleted: false }],
    );
    for (let time = 0; time < 2; time++)
      await told("PATCH", `/api/v1/namespaces/default/pods/${name}/status`, { status: { phase: "Failed", ...status } });
  };
  await end("full", { reason: "OutOfcpu", message: "Pod was rejected: Node didn't have enough resource: cpu" });
  await end("large", { reason: "Evicted", message: "The node was low on resource: memory. Threshold quantity: 1Mi" });
  const { text } = await ask("/metrics");
  for (const line of [
    'kubelet_node_name{node="n"} 1',
    "kubelet_running_pods 1",
    'kubelet_running_containers{container_state="running"} 1',
    'kubelet_working_pods{config="desired",lifecycle="sync",static=""} 1',
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1',
    'kubelet_runtime_operations_total{operation_type="create_container"} 1',
    'kubelet_runtime_operations_total{operation_type="start_container"} 2',
    'kubelet_runtime_operations_errors_total{operation_type="start_container"} 1',
    'kubelet_started_containers_errors_total{code="RunContainerError",container_type="init_container"} 1',
    'kubelet_runtime_operations_errors_total{operation_type="remove_container"} 1',
    'kubelet_started_containers_total{container_type="container"} 1',
    "kubelet_started_pods_total 1",
    'kubelet_admission_rejections_total{reason="OutOfcpu"} 1',
    'kubelet_evictions{eviction_signal="memory.available"} 1',
    "kubelet_pod_start_duration_seconds_count 1",
    'rest_client_requests_total{code="200",host="cluster",method="PATCH"} 5',
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).toMatch(/^kubernetes_build_info{.*git_version="v1.35.4\+skerry.0".*major="1",minor="35".*} 1$/m);
  expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);
});

test("probes are counted by how they ended, for as long as their pod is here", async () => {
  const { ask, observations } = made();
  observations.probed({ memory }, { type: "Readiness", result: "successful", container: "c", seconds: 0.1 });
  observations.probed(
    { memory: { ...memory, uid: "gone", name: "gone" } },
    { type: "Liveness", result: "failed", container: "c", seconds: 0.1 },
  );
  const { text } = await ask("/metrics/probes");
  expect(text.split("\n")).toContain(
    'prober_probe_total{container="c",namespace="default",pod="web",pod_uid="u",probe_type="Readiness",result="successful"} 1',
  );
  expect(text).not.toContain("gone");
});

test("logs of containers come with what kubectl asks for", async () => {
  const { ask } = made();
  const path = "/containerLogs/default/web/c";
  expect((await ask(path)).text).toBe("one\ntwo\n");
  expect((await ask(`${path}?tailLines=1`)).text).toBe("two\n");
  expect((await ask(`${path}?tail=1&timestamps=true`)).text).toBe("2026-01-01T00:00:02Z two\n");
  expect(await ask(`${path}?tailLines=x`)).toMatchObject({ status: 400 });
  expect(await ask(`${path}?previous=true`)).toMatchObject({ status: 400 });
  expect(await ask("/containerLogs/default/x/c")).toMatchObject({ status: 404, text: 'pod "x" does not exist' });
  expect((await ask("/containerLogs/default/web/x")).text).toBe('container "x" not found in pod "web"');
});

test("settings are shown as a kubelet's, those that were given among them", async () => {
  const { kubeletconfig } = JSON.parse((await made().ask("/configz")).text);
  expect(kubeletconfig).toMatchObject({ port: 10250, maxPods: 7, clusterDNS: ["10.96.0.10"] });
  expect(kubeletconfig).not.toHaveProperty("nodeLabels");
});
