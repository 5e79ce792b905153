/** kill -9 of every part, alone and together, while clients write and watch; then the power goes. */
import { readdirSync, renameSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { administrator } from "../../agent/local/credentials.ts";
import type { Server } from "../../agent/local/http.ts";
import { eventually, isAlive, TestCluster } from "../support/cluster.ts";
import { fetchText } from "../support/http.ts";
import { losePower } from "../support/power.ts";
import { lostWrites, Watcher, Writer } from "../support/writes.ts";

type Pod = {
  metadata: { name: string; uid: string };
  status: {
    phase: string;
    podIP: string;
    startTime: string;
    containerStatuses: {
      name: string;
      containerID: string;
      restartCount: number;
      ready: boolean;
      state: { running?: { startedAt: string } };
      lastState: { terminated?: { exitCode: number; reason: string } };
    }[];
  };
};

let cluster: TestCluster;
let server: Server;

beforeAll(async () => {
  cluster = await TestCluster.start();
  server = await administrator({ path: cluster.home, port: cluster.port });
  await cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index.html: "hello\\n" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web, test: steady } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'echo started; exec httpd -f -p 8080 -h /www']
          readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1 }
          volumeMounts: [{ name: page, mountPath: /www }]
        - name: beside
          image: busybox:test
          command: [sh, -c, 'cat /proc/sys/kernel/random/uuid >/tmp/life; exec sleep 100000']
      volumes: [{ name: page, configMap: { name: page } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: talker, labels: { test: steady } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: talker
      image: busybox:test
      command: [sh, -c, 'n=0; while true; do n=$((n+1)); echo line $n; sleep 1; done']
      livenessProbe: { exec: { command: ["true"] }, periodSeconds: 2, timeoutSeconds: 20 }
`);
  await cluster.ok("wait --for=condition=Ready pod -l test=steady --timeout=120s");
});
afterAll(async () => {
  await cluster?.stop();
});

const podsOf = async (label: string) => (await cluster.json<{ items: Pod[] }>(`get pods -l ${label}`)).items;

/** What tells one life of a pod's containers from the next. */
async function lives(): Promise<unknown> {
  return (await podsOf("test=steady")).map(({ metadata, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    ip: status.podIP,
    startTime: status.startTime,
    containers: status.containerStatuses.map(({ name, containerID, restartCount, state }) => ({
      name,
      containerID,
      restartCount,
      startedAt: state.running?.startedAt,
    })),
  }));
}

const ready = async (label: string) => {
  const pods = await podsOf(label);
  return pods.length > 0 && pods.every(({ status }) => status.containerStatuses?.every((c) => c.ready));
};
const nodeIs = async (status: string) => {
  const said = await cluster.ok([
    "get",
    "node",
    "node-a",
    "-o",
    'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
  ]);
  return said === status;
};

/** Runs `body` while clients write and watch; afterwards nothing that was promised to them may be missing. */
async function duringWrites(name: string, body: () => Promise<void>): Promise<void> {
  const before = await lives();
  const watcher = await Watcher.start(server);
  const writer = new Writer(server, { name, lines: 3 });
  await eventually("first writes", async () => writer.acknowledged.length > 10);
  await body();
  const reached = writer.acknowledged.length;
  await eventually("further writes", async () => writer.acknowledged.length > reached + 10);
  await writer.stop();
  expect(await lostWrites(server, writer.acknowledged)).toEqual([]);
  await eventually("the watch tells all", () => watcher.agrees());
  await watcher.stop();
  expect(watcher.faults).toEqual([]);
  expect(writer.acknowledged.filter(({ revision }) => !watcher.seen.has(revision))).toEqual([]);
  await eventually("all are ready", () => ready("test=steady"));
  expect(await lives()).toEqual(before);
  console.log(`${name}: ${writer.acknowledged.length} writes, ${writer.failures} failed, ${watcher.resumed} resumed`);
}

/** Users' ways into containers, after their agent has begun anew. */
async function reachable(): Promise<void> {
  const [web] = await podsOf("app=web");
  const pod = web?.metadata.name ?? "";
  await eventually("exec", async () => (await cluster.kubectl(`exec ${pod} -c beside -- echo in`)).stdout === "in\n");
  await eventually("logs", async () => (await cluster.ok(`logs ${pod} -c server`)) === "started\n");
  const lastLine = async () => Number((await cluster.ok("logs talker --tail=1")).trim().split(" ")[1]);
  const last = await eventually("a line of a log", lastLine);
  await eventually("logs go on", async () => (await lastLine()) > last);
  const address = await cluster.ok("get service web -o jsonpath={.spec.clusterIP}");
  await eventually("the Service", async () => (await fetchText(`http://${address}/index.html`, 2_000)) === "hello\n");
}

async function startsPods(name: string): Promise<void> {
  await cluster.ok(["run", name, "--image=busybox:test", "--", "sleep", "1000"]);
  await cluster.ok(`wait --for=condition=Ready pod/${name} --timeout=60s`);
  await cluster.ok(`delete pod ${name} --grace-period=1`);
}

describe("kill -9 during writes", () => {
  test("of workerd: nothing acknowledged is lost, watches resume, containers do not notice", async () => {
    await duringWrites("workerd", async () => {
      for (let round = 0; round < 3; round++) {
        const old = cluster.pid("workerd");
        await cluster.kill("workerd");
        await eventually("another workerd", async () => ![0, old].includes(cluster.pid("workerd")));
        await eventually("it answers", async () => (await cluster.kubectl("get --raw /readyz")).stdout === "ok");
        await effects.sleep(500);
      }
    });
    await eventually("the agent is back", () => nodeIs("True"));
    await reachable();
  });

  test("of the supervisor: it takes workerd and agent along, and the next start resumes all", async () => {
    await duringWrites("supervisor", async () => {
      const [workerd, agent] = [cluster.pid("workerd"), cluster.pid("agent")];
      await cluster.kill("supervisor");
      // Until it has ended altogether, the port is its own.
      await eventually("workerd and agent end", async () => ![workerd, agent].some(isAlive));
      await cluster.up();
    });
    await reachable();
  });

  test("of the agent: the next adopts its pods, and sees what died meanwhile", async () => {
    await cluster.ok(["run", "fleeting", "--image=busybox:test", "--", "sleep", "100000"]);
    await cluster.ok("wait --for=condition=Ready pod/fleeting --timeout=60s");
    const before = await cluster.json<Pod>("get pod fleeting");
    const id = before.status.containerStatuses[0]?.containerID.replace("containerd://", "") ?? "";
    const inspected = await cluster.nerdctl("inspect", "--format", "{{.State.Pid}}", id);
    await duringWrites("agent", async () => {
      await cluster.kill("agent");
      process.kill(Number(inspected.stdout), "SIGKILL");
    });
    const after = await eventually("the restart is told", async () => {
      const pod = await cluster.json<Pod>("get pod fleeting");
      return pod.status.containerStatuses[0]?.restartCount === 1 && pod.status.containerStatuses[0].ready && pod;
    });
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.status.podIP).toBe(before.status.podIP);
    expect(after.status.containerStatuses[0]?.lastState.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
    await cluster.ok("delete pod fleeting --grace-period=1");
    await reachable();
    await startsPods("after-agent");
  });

  test("of the agent: what is kept of logs is all that was printed, each line once, also when the pod is gone", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: kept, annotations: { skerry.dev/keep-logs: 7d } }
---
apiVersion: v1
kind: Pod
metadata: { name: counter, namespace: kept }
spec:
  restartPolicy: Never
  containers:
    - name: c
      image: busybox:test
      command: [sh, -c, 'for n in $(seq 80); do echo line $n; sleep 0.1; done']
---
apiVersion: v1
kind: Pod
metadata: { name: short, namespace: kept }
spec:
  restartPolicy: Never
  containers: [{ name: c, image: "busybox:test", command: [echo, short] }]
`);
    const kept = async (pod: string) => (await cluster.kubectl(`get --raw /skerry/logs/kept/${pod}`)).stdout;
    await eventually("it counts", async () =>
      (await cluster.kubectl("logs -n kept counter")).stdout.includes("line 9\n"),
    );
    await cluster.kill("agent");
    for (const pod of ["short", "counter"])
      await cluster.ok(`wait -n kept --for=jsonpath={.status.phase}=Succeeded pod/${pod} --timeout=300s`);
    await cluster.ok("delete pods -n kept --all");
    const lines = Array.from({ length: 80 }, (_, n) => `line ${n + 1}\n`).join("");
    await eventually(
      "all is kept",
      async () => (await kept("counter")) === lines && (await kept("short")) === "short\n",
    );
    expect((await cluster.skerry("kept-logs", "kept/counter", "--tail", "2")).stdout).toBe("line 79\nline 80\n");
    const gone = (name: string) => cluster.skerry("logs", "-n", "kept", name, "--tail", "1");
    expect((await gone("pod/counter")).stdout).toBe("counter | line 80\n");
    expect(await gone("nobody")).toMatchObject({ code: 1, stderr: expect.stringContaining("no workload nobody") });
    expect((await cluster.kubectl("logs -n kept counter --tail=1")).stdout).toBe("line 80\n");
    expect((await cluster.kubectl("get pod -n kept counter")).stderr).toContain("NotFound");
    expect((await cluster.kubectl("logs -n kept nobody")).stderr).toContain('pods "nobody" not found');
    expect((await cluster.skerry("kept-logs", "kept")).stdout).toMatch(/^counter +c +0 +\S+Z +\S+Z +\d+ +\S+$/m);
    expect(readdirSync(join(cluster.home, "bucket/default/logs"))).toEqual(["kept"]);
    await cluster.ok("create serviceaccount curious");
    const token = (await cluster.ok("create token curious")).trim();
    const refused = await cluster.kubectl(["get", "--raw", "/skerry/logs/kept/counter", "--token", token]);
    expect(refused.all).toContain("cannot get path");
    expect((await cluster.kubectl(["logs", "-n", "kept", "counter", "--token", token])).all).toContain("Forbidden");
  });

  test("of containerd: containers live on, the node says so while it is away, and new pods start", async () => {
    await duringWrites("containerd", async () => {
      const old = cluster.pid("containerd");
      await cluster.kill("containerd");
      await eventually("another containerd", async () => cluster.pid("containerd") !== old);
    });
    await eventually("the node is Ready", () => nodeIs("True"));
    await reachable();
    await startsPods("after-containerd");
  });

  test("of containerd, which cannot start again for a while: the node is not Ready", async () => {
    const before = await lives();
    const settings = join(cluster.home, "containerd/config.toml");
    renameSync(settings, `${settings}.away`);
    await cluster.kill("containerd");
    await eventually("the node is not Ready", () => nodeIs("False"));
    await effects.sleep(8_000); // long enough for a probe to fail its container, were it asked in vain
    renameSync(`${settings}.away`, settings);
    await eventually("the node is Ready", () => nodeIs("True"));
    await reachable();
    await eventually("all are ready", () => ready("test=steady"));
    expect(await lives()).toEqual(before);
  });

  test("of all at once", async () => {
    await duringWrites("everything", async () => {
      await cluster.kill("supervisor", "workerd", "agent", "containerd");
      await cluster.supervisorGone();
      await cluster.up();
    });
    await reachable();
    await startsPods("after-all");
  });
});

describe("an alert", () => {
  type Sent = { id: string; title: string; firing: { name: string; cause: string }[]; resolved: { name: string }[] };

  test("reaches its receiver, which was away, over the death of workerd, and so does its end", async () => {
    const [asked, taken]: [Sent[], Sent[]] = [[], []];
    let isAway = true;
    const receiver = createServer(async (request, response) => {
      const told = JSON.parse(await text(request)) as Sent;
      (isAway ? asked : taken).push(told);
      response.writeHead(isAway ? 503 : 200).end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const { port } = receiver.address() as AddressInfo;
    await cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: skerry-alerts, namespace: kube-system }
data:
  receivers: "- { name: hook, webhook: { url: http://127.0.0.1:${port}/hook }, rules: [pod-unschedulable] }"
  rules: "pod-unschedulable: { for: 0s }"
  timing: "{ wait: 0s, interval: 0s }"
---
apiVersion: v1
kind: Pod
metadata: { name: nowhere }
spec:
  nodeSelector: { there: is-none }
  containers: [{ name: c, image: "busybox:test" }]
`);
    await eventually("the receiver is asked", async () => asked.length > 0);
    const told = async () => (await cluster.skerry("status")).stdout;
    await eventually("status tells", async () => (await told()).includes("receiver hook: it answered 503"));
    const old = cluster.pid("workerd");
    await cluster.kill("workerd");
    isAway = false;
    await eventually("another workerd", async () => ![0, old].includes(cluster.pid("workerd")));
    await eventually("the receiver is told", async () => taken.length > 0);
    expect(taken[0]).toMatchObject({
      id: asked[0]?.id,
      title: "default: pod-unschedulable: Pod default/nowhere",
      firing: [{ name: "nowhere", cause: expect.stringContaining("No node takes it") }],
    });
    await cluster.ok("delete pod nowhere --grace-period=0 --force");
    await eventually("its end is told", async () => taken.some(({ resolved }) => resolved[0]?.name === "nowhere"));
    const events = await cluster.ok("get events --field-selector=involvedObject.name=nowhere -o jsonpath={..reason}");
    expect(events).toContain("AlertFiring");
    await cluster.ok("delete configmap skerry-alerts -n kube-system");
    await eventually("nothing is left", async () => {
      const data = "jsonpath={.data.status\\.json}";
      const said = await cluster.ok(["get", "configmap", "skerry-alerts-status", "-n", "kube-system", "-o", data]);
      return (JSON.parse(said) as { alerts: unknown[]; receivers: unknown[] }).receivers.length === 0;
    });
    await new Promise((resolve) => receiver.close(resolve));
  });
});

describe("a loss of power", () => {
  test("leaves the cluster as it was, and its pods run again", async () => {
    const everything = "get all,configmaps,secrets,endpointslices,serviceaccounts,leases -A -o name";
    const before = { names: await cluster.ok(everything), pods: await podsOf("test=steady") };
    await cluster.kill("supervisor", "workerd", "agent", "containerd");
    await cluster.supervisorGone();
    await losePower(cluster.home);
    await cluster.up();
    expect(await cluster.ok(everything)).toBe(before.names);
    const lived = new Set(before.pods.flatMap(({ status }) => status.containerStatuses.map((c) => c.containerID)));
    await eventually("restarts are told", async () =>
      (await podsOf("test=steady")).every(({ status }) =>
        status.containerStatuses.every((c) => !lived.has(c.containerID)),
      ),
    );
    await eventually("all are ready", () => ready("test=steady"));
    const after = await podsOf("test=steady");
    expect(after.map(({ metadata }) => metadata)).toMatchObject(before.pods.map(({ metadata: { uid } }) => ({ uid })));
    for (const [i, pod] of after.entries()) {
      expect(pod.status.containerStatuses.map((c) => c.restartCount)).toEqual(
        before.pods[i]?.status.containerStatuses.map((c) => c.restartCount + 1),
      );
    }
    await reachable();
    await startsPods("after-power");
  });
});
