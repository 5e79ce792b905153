/** A node whose uplink is cut: packets vanish in both directions, without a goodbye. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { checked } from "../support/programs.ts";

type Pod = {
  metadata: { name: string; uid: string };
  status: {
    containerStatuses: {
      containerID: string;
      restartCount: number;
      ready: boolean;
      lastState: { terminated?: { exitCode: number; finishedAt: string } };
    }[];
  };
};

/** At least so long is the node alone. */
const CUT_MS = 75_000;
const TABLE = `skerry-test-cut-${process.pid}`;

let lan: Lan;
let cluster: TestCluster;
let machine: Machine;
let url = "";

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  machine = await Machine.make("node-b", lan, 2);
  cluster.machines.push(machine);
  const joining = joinArguments((await cluster.skerry("token", "create")).stdout, lan);
  url = joining[0] ?? "";
  await machine.join(joining);
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
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'mkdir -p /tmp/www; echo here >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www']
          readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1 }
          livenessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 5, timeoutSeconds: 5 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed }
spec: { podSelector: { matchLabels: { app: closed } }, policyTypes: [Ingress, Egress] }
---
apiVersion: v1
kind: Pod
metadata: { name: closed, labels: { app: closed } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: server
      image: busybox:test
      command: [sh, -c, 'mkdir -p /tmp/www; echo here >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www']
---
apiVersion: v1
kind: Pod
metadata: { name: sick }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: sick
      image: busybox:test
      command: [sh, -c, 'touch /tmp/alive; exec sleep 100000']
      livenessProbe: { exec: { command: [cat, /tmp/alive] }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 2 }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { text: kept }
---
apiVersion: v1
kind: Pod
metadata: { name: reader }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: reader
      image: busybox:test
      command: [sleep, "100000"]
      volumeMounts: [{ name: page, mountPath: /page }]
  volumes: [{ name: page, configMap: { name: page } }]
---
apiVersion: v1
kind: Pod
metadata: { name: fragile }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: fragile, image: "busybox:test", command: [sh, -c, 'sleep 4; exit 3'] }
---
apiVersion: v1
kind: Namespace
metadata: { name: kept, annotations: { skerry.dev/keep-logs: 7d } }
---
apiVersion: v1
kind: Pod
metadata: { name: done, namespace: kept }
spec:
  restartPolicy: Never
  containers: [{ name: c, image: "busybox:test", command: [sh, -c, 'echo one; echo two'] }]
`);
  await cluster.ok("rollout status deployment/web --timeout=120s");
  await cluster.ok("wait --for=condition=Ready pod/sick pod/reader pod/closed --timeout=60s");
});
afterAll(async () => {
  await mend().catch(() => {});
  try {
    await cluster?.stop();
  } finally {
    await lan?.remove();
  }
});

async function cut(): Promise<void> {
  const rules = `table ip ${TABLE} {
    chain in { type filter hook input priority -300; ip saddr ${machine.address} tcp dport ${cluster.port} drop; }
    chain out { type filter hook output priority -300; ip daddr ${machine.address} tcp sport ${cluster.port} drop; }
  }`;
  await checked("nft", ["-f", "-"], { input: rules });
}
const mend = () => checked("nft", ["delete", "table", "ip", TABLE]);

const pods = async () => (await cluster.json<{ items: Pod[] }>("get pods")).items;
const pod = async (name: string) => cluster.json<Pod>(`get pod ${name}`);
const readiness = () =>
  cluster.ok(["get", "node", "node-b", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);

type Local = { pod: string; attempt: number; id: string };
/** The running containers as the node's own runtime has them. */
async function running(): Promise<Local[]> {
  const listed = await machine.nerdctl("ps", "-q", "--no-trunc", "--filter", "label=skerry.dev/kind=app");
  const ids = listed.stdout.split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const inspected = await machine.nerdctl("inspect", "--format", "{{json .}}", ...ids);
  return inspected.stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { Id: string; Config: { Labels: Record<string, string> } })
    .map(({ Id: id, Config: { Labels: labels } }) => ({
      id,
      pod: labels["skerry.dev/pod-name"] ?? "",
      attempt: Number(labels["skerry.dev/attempt"]),
    }));
}
/** Runs a command in a pod's container, by the node's own means. */
async function inside(name: string, ...command: string[]): Promise<string> {
  const id = (await running()).find((container) => container.pod === name)?.id ?? "";
  return (await machine.nerdctl("exec", id, ...command)).stdout;
}

/** Pods find what they need of the cluster on their own node. */
async function serves(): Promise<void> {
  await eventually("its files", async () => (await inside("reader", "cat", "/page/text")) === "kept");
  const address = await eventually("the Service's name", async () => {
    const answer = await inside("reader", "nslookup", "web.default.svc.cluster.local");
    return /Name:.*\nAddress: (\S+)/.exec(answer)?.[1];
  });
  await eventually(
    "the Service",
    async () => (await inside("reader", "wget", "-qO-", `http://${address}/`)) === "here\n",
  );
  await holds(address);
}

/** The policy that nobody may break: the node itself reaches the pod, and no other pod does, nor it any. */
async function holds(service: string): Promise<void> {
  const address = await eventually("the pod's address", async () => {
    const shown = await inside("closed", "ip", "address", "show", "eth0");
    return /inet (\d+\.\d+\.\d+\.\d+)/.exec(shown)?.[1];
  });
  await eventually("an answer to the node", async () => {
    const own = await machine.run("busybox", "wget", "-qO-", `http://${address}:8080/index.html`);
    return own.stdout === "here\n";
  });
  const others = await Promise.all([
    inside("reader", "timeout", "2", "wget", "-qO-", `http://${address}:8080/index.html`),
    inside("closed", "timeout", "2", "wget", "-qO-", `http://${service}/`),
  ]);
  expect(others).toEqual(["", ""]);
}

/** Takes what a pod's probe looks for, until that has the container started again. */
async function failsProbe(name: string): Promise<void> {
  const now = async () => (await running()).find((container) => container.pod === name);
  const before = await eventually(`${name} runs`, now);
  await eventually("its probe restarts it", async () => {
    const found = await now();
    // It may be taken before the container has made it.
    if (found?.id === before.id) await machine.nerdctl("exec", found.id, "rm", "-f", "/tmp/alive");
    return found !== undefined && found.attempt > before.attempt;
  });
}

describe("a cut uplink", () => {
  test("leaves the node's pods to the node, and the return is clean", async () => {
    const restarts = async () => (await pod("fragile")).status.containerStatuses[0]?.restartCount ?? 0;
    await eventually(
      "the log is kept",
      async () => (await cluster.kubectl("get --raw /skerry/logs/kept/done")).stdout === "one\ntwo\n",
    );
    await eventually("a first crash", async () => (await restarts()) >= 1);
    const before = await pods();
    const crashed = await restarts();
    const sickRestarts = async () => (await pod("sick")).status.containerStatuses[0]?.restartCount ?? 0;
    const sickBefore = await sickRestarts();
    await cut();
    const start = effects.now();

    await failsProbe("sick");
    await eventually("the node counts as lost", async () => (await readiness()) === "Unknown");
    const lost = effects.now() - start;
    console.log(`Ready turned Unknown ${Math.round(lost / 1000)} s after the cut`);
    expect(lost).toBeGreaterThan(20_000); // what was heard last may have been sent a while before
    expect(await cluster.ok("get node node-b --no-headers")).toMatch(/^node-b\s+NotReady\s/);
    expect(await sickRestarts()).toBe(sickBefore); // nobody could tell
    expect(await cluster.ok("logs -n kept done --tail=1")).toBe("two\n");
    expect((await cluster.kubectl("logs reader")).all).toContain("node node-b is not connected");
    await serves();
    await effects.sleep(Math.max(0, start + CUT_MS - effects.now()));
    const address = before.find(({ metadata }) => metadata.name.startsWith("web-")) as Pod & {
      status: { podIP: string };
    };
    await eventually("a pod answers", async () => {
      const url = `http://${address.status.podIP}:8080/index.html`;
      return (await machine.run("busybox", "wget", "-qO-", url)).stdout === "here\n";
    });

    const end = effects.now();
    await mend();
    await eventually("Ready again", async () => (await readiness()) === "True");
    await eventually("the restart is told", async () => {
      const [status] = (await pod("sick")).status.containerStatuses;
      return status !== undefined && status.restartCount > sickBefore && status.ready;
    });
    await eventually("the crashes are told", async () => (await restarts()) > crashed);
    const told = (await pod("fragile")).status.containerStatuses[0];
    expect(told?.lastState.terminated?.exitCode).toBe(3);
    // By backoff, not in a loop: it lives four seconds.
    expect(told?.restartCount).toBeLessThan(crashed + Math.max(6, (effects.now() - start) / 20_000));
    expect(Date.parse(told?.lastState.terminated?.finishedAt ?? "")).toBeGreaterThan(start - 1_000);
    await effects.sleep(Math.max(0, end + 5_000 - effects.now()));

    const after = await pods();
    expect(after.map(({ metadata: { name, uid } }) => ({ name, uid }))).toEqual(
      before.map(({ metadata: { name, uid } }) => ({ name, uid })),
    );
    const steady = (all: Pod[]) =>
      all
        .filter(({ metadata }) => metadata.name.startsWith("web-"))
        .flatMap(({ status }) =>
          status.containerStatuses.map(({ containerID, restartCount }) => [containerID, restartCount]),
        );
    expect(steady(after)).toEqual(steady(before));
    const all = after.map(({ metadata }) => metadata.name).filter((name) => name !== "fragile");
    await eventually("each runs once", async () => {
      const names = (await running()).map((container) => container.pod);
      expect(names.filter((name) => name !== "fragile").toSorted()).toEqual(all.toSorted());
      expect(names.length).toBe(new Set(names).size);
      return true;
    });
    await eventually(
      "no taint is left",
      async () => (await cluster.ok("get node node-b -o jsonpath={.spec.taints}")) === "",
    );
  });

  test("lets the node start from nothing, and what happened meanwhile is told when it is back", async () => {
    const before = await pods();
    await cut();
    await machine.powerOff();
    await machine.powerOn();
    machine.start(url);
    const names = async () => new Set((await running()).map((container) => container.pod));
    await eventually("all run again", async () => (await names()).size >= before.length - 1);
    await serves();
    await failsProbe("sick");
    await machine.kill(); // with all that it had to tell
    machine.start(url);
    await effects.sleep(3_000);
    const told = async () =>
      (
        await cluster.json<{ items: { message: string; lastTimestamp: string }[] }>(
          "get events --field-selector involvedObject.name=sick,reason=Killing",
        )
      ).items.filter(({ message }) => message.includes("failed liveness probe"));
    const heard = Math.max(0, ...(await told()).map(({ lastTimestamp }) => Date.parse(lastTimestamp)));
    await mend();
    await eventually("Ready again", async () => (await readiness()) === "True");
    await eventually("the restarts are told", async () =>
      (await pods()).every(({ metadata, status }) => {
        const old = before.find((one) => one.metadata.uid === metadata.uid)?.status.containerStatuses[0];
        const now = status.containerStatuses[0];
        return now !== undefined && old !== undefined && now.restartCount > old.restartCount;
      }),
    );
    await eventually("the event of a dead agent is told", async () =>
      (await told()).some(({ lastTimestamp }) => Date.parse(lastTimestamp) > heard),
    );
    expect((await pods()).map(({ metadata }) => metadata.uid).toSorted()).toEqual(
      before.map(({ metadata }) => metadata.uid).toSorted(),
    );
  });
});
