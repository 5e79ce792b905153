/** What nodes and pods use: asked of the cluster itself, of a node's own port, and of metrics-server as it is. */
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { moduleSource, upstreamProgram } from "../support/upstream.ts";

const APISERVICE = "v1beta1.metrics.k8s.io";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
  await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: busy, labels: { app: busy } }
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{ name: d, emptyDir: {} }]
  containers:
  - name: burn
    image: busybox:test
    command: [sh, -c, "while :; do :; done"]
    resources: { limits: { cpu: 200m, memory: 64Mi } }
  - name: write
    image: busybox:test
    command: [sh, -c, "dd if=/dev/zero of=/d/f bs=1M count=5 && echo written && sleep 6000"]
    volumeMounts: [{ name: d, mountPath: /d }]
    readinessProbe: { exec: { command: [test, -e, /d/f] }, periodSeconds: 1 }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: scraper }
`);
  await cluster.ok("create clusterrole scraper --verb=get --resource=nodes/metrics");
  await cluster.ok("create clusterrolebinding scraper --clusterrole=scraper --serviceaccount=default:scraper");
  await cluster.ok("wait --for=condition=Ready pod/busy --timeout=60s");
});
afterAll(() => cluster?.stop());

const raw = (path: string) => cluster.ok(["get", "--raw", path]);
const onNode = (path: string) => raw(`/api/v1/nodes/node-a/proxy/${path}`);
/** Cells of the lines below a table's heading. */
const rows = (text: string) =>
  text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

const millis = (cell = "") => Number(/^(\d+)m$/.exec(cell)?.[1]);

describe("kubectl top, with nothing installed", () => {
  test("knows what nodes use", async () => {
    await eventually("it has measured the node", async () => {
      const [[name, cpu, , memory = ""] = []] = rows(await cluster.ok("top node"));
      return name === "node-a" && millis(cpu) > 0 && /^[1-9]\d*Mi$/.test(memory);
    });
  });

  test("knows what pods use, and each of their containers", async () => {
    const [burn] = await eventually("it has measured the pod", async () => {
      const list = rows(await cluster.ok("top pod --containers")).toSorted();
      // However busy the machine is otherwise.
      const [first, second] = list.map((row) => millis(row[2]));
      return list.length === 2 && first !== undefined && first > (second ?? 0) && first < 400 && list;
    });
    expect(burn?.slice(0, 2)).toEqual(["busy", "burn"]);
    expect(await cluster.ok("top pod -l app=other")).toBe("");
    expect(rows(await cluster.ok("top pod -A --sort-by=cpu"))[0]?.slice(0, 2)).toEqual(["default", "busy"]);
  });

  test("is for those who may see pods", async () => {
    await cluster.ok("create rolebinding viewer --clusterrole=view --user=jane");
    expect(await cluster.ok("top pod --as=jane")).toContain("busy");
    expect((await cluster.kubectl("top node --as=jane")).stderr).toContain('cannot list resource "nodes"');
  });
});

describe("a node's own API", () => {
  test("has statistics of pods, their containers and volumes", async () => {
    await eventually("all is measured", async () => {
      const summary = JSON.parse(await onNode("stats/summary")) as Summary;
      const pod = summary.pods.find(({ podRef }) => podRef.name === "busy");
      expect(pod?.containers.map(({ name }) => name).toSorted()).toEqual(["burn", "write"]);
      expect(pod?.cpu.usageNanoCores).toBeGreaterThan(0);
      expect(pod?.volume.find(({ name }) => name === "d")?.usedBytes).toBeGreaterThanOrEqual(5 * 1024 * 1024);
      expect(pod?.network.interfaces.map(({ name }) => name)).toEqual(["eth0"]);
      return true;
    });
  });

  test("has metrics by the names that dashboards use", async () => {
    const linesOf = async (path: string) => (await onNode(path)).split("\n").filter((line) => !line.startsWith("#"));
    const has = (path: string, line: string | RegExp) =>
      eventually(`${path} has ${line}`, async () => (await linesOf(path)).some((text) => new RegExp(line).test(text)));
    const labels = 'container="burn",id="[^"]+",image="docker.io/library/busybox:test",name="[0-9a-f]{64}"';
    for (const name of ["memory_working_set_bytes", "spec_memory_limit_bytes", "spec_cpu_quota"])
      await has("metrics/cadvisor", `^container_${name}{${labels},namespace="default",pod="busy"} [1-9]`);
    await has("metrics/cadvisor", /^container_network_receive_bytes_total{.*interface="eth0".*pod="busy"} \d/);
    await has("metrics", /^kubelet_running_pods 1$/);
    await has("metrics", /^kubelet_pod_start_duration_seconds_count [1-9]/);
    await has("metrics", /^kubelet_runtime_operations_total{operation_type="start_container"} [1-9]/);
    await has(
      "metrics/probes",
      /^prober_probe_total{container="write",namespace="default",pod="busy",.*type="Readiness",result="successful"} [1-9]/,
    );
  });

  test("has logs of containers and of the machine", async () => {
    await eventually("logs", async () => (await onNode("containerLogs/default/busy/write")).includes("written\n"));
    expect(await onNode("logs/")).toContain("<pre>");
    expect(await raw("/api/v1/nodes/node-a:10250/proxy/healthz")).toBe("ok");
  });

  test("answers on its port, with a certificate of the cluster, to those who may", async () => {
    await eventually("it has its certificate", async () =>
      (await cluster.ok("get csr --no-headers")).includes("Approved,Issued"),
    );
    const address = await cluster.ok(
      `get node node-a -o jsonpath={.status.addresses[?(@.type=="InternalIP")].address}`,
    );
    const port = await cluster.ok("get node node-a -o jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}");
    const ca = await cluster.ok(["get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data['ca\\.crt']}"]);
    const token = (await cluster.ok("create token scraper")).trim();
    const ask = (path: string, headers: Record<string, string> = {}) =>
      new Promise<[number | undefined, string]>((resolve, reject) => {
        const sent = request({ host: address, port, path, headers, ca, agent: false }, (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () => resolve([response.statusCode, text]));
        });
        sent.on("error", reject).end();
      });
    const scraper = { authorization: `Bearer ${token}` };
    await eventually("it shows the certificate, and what it measures", async () => {
      const [status, text] = await ask("/metrics/resource", scraper);
      return status === 200 && text.includes('pod_memory_working_set_bytes{namespace="default",pod="busy"}');
    });
    expect(await ask("/metrics")).toEqual([401, "Unauthorized"]);
    expect(await ask("/pods", scraper)).toEqual([
      403,
      "Forbidden (user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource(s)=[pods proxy])\n",
    ]);
  });
});

type Summary = {
  pods: {
    podRef: { name: string };
    containers: { name: string }[];
    cpu: { usageNanoCores: number };
    volume: { name: string; usedBytes: number }[];
    network: { interfaces: { name: string }[] };
  }[];
};

describe("metrics-server as it is", () => {
  test("is asked where it is installed, and reads nodes by their own port", { timeout: 900_000 }, async () => {
    const program = await upstreamProgram("metrics-server", () => {});
    await cluster.load({ tag: "metrics-server:test", programs: { "metrics-server": program } });
    const folder = join(await moduleSource("metrics-server"), "manifests/base");
    const manifests = await cluster.ok(["kustomize", folder]);
    const image = "image: metrics-server:test\n        command: [metrics-server]";
    await cluster.apply(manifests.replace(/image: .*/, image));
    await cluster.ok("rollout status deployment/metrics-server -n kube-system --timeout=120s");
    await cluster.ok(`wait --for=condition=Available apiservice/${APISERVICE} --timeout=60s`);
    await eventually("it has measured twice", async () => {
      const [[name, cpu] = []] = rows(await cluster.ok("top pod"));
      return name === "busy" && millis(cpu) > 0;
    });
    // Its lists are those of a typed server, whose items do not say what they are.
    const items = JSON.parse(await raw("/apis/metrics.k8s.io/v1beta1/nodes")).items as { kind?: string }[];
    expect(items.map(({ kind }) => kind)).toEqual([undefined]);
  });

  test("is asked no more once it is gone", async () => {
    await cluster.ok(`delete apiservice ${APISERVICE}`);
    await eventually("the cluster itself answers", async () => rows(await cluster.ok("top node"))[0]?.[0] === "node-a");
  });
});
