/** A hundred pods on one node come and go, and leave nothing behind. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { count, taken, takenAtRest } from "../support/taken.ts";

const PODS = 100;
const START_TIMEOUT_MS = 900_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster?.stop();
});

/** Waits without taking much of the machine from what is waited for. */
const patiently = (what: string, check: () => Promise<boolean>) =>
  eventually(what, async () => (await check()) || effects.sleep(1_000).then(() => false), START_TIMEOUT_MS);

/** With the files that the programs beside pods hold open. */
const takenWithFiles = async () => ({
  ...(await taken(cluster)),
  agentFiles: count(`/proc/${cluster.pid("agent")}/fd`),
  workerdFiles: count(`/proc/${cluster.pid("workerd")}/fd`),
});

function megabytes(who: "agent" | "workerd" | "supervisor"): number {
  const status = readFileSync(`/proc/${cluster.pid(who)}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}
const memory = () => `agent ${megabytes("agent")} MB, workerd ${megabytes("workerd")} MB`;

test(
  `${PODS} pods start, and go without a trace`,
  async () => {
    await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: many }
spec:
  replicas: 0
  selector: { matchLabels: { app: many } }
  template:
    metadata: { labels: { app: many } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: pause, image: "skerry.dev/pause:1", imagePullPolicy: IfNotPresent }]
---
apiVersion: v1
kind: Service
metadata: { name: many }
spec: { selector: { app: many }, ports: [{ port: 80 }] }
`);
    const readyReplicas = async () =>
      Number((await cluster.ok("get deployment many -o jsonpath={.status.readyReplicas}")) || "0");
    const left = async () => (await cluster.ok("get pods -o name")).split("\n").filter(Boolean).length;
    // One pod first, so that what is made once a node is there already.
    await cluster.ok("scale deployment many --replicas=1");
    await eventually("one is Ready", async () => (await readyReplicas()) === 1);
    await cluster.ok("scale deployment many --replicas=0");
    await eventually("none is left", async () => (await left()) === 0);
    await takenAtRest(cluster);
    const before = await takenWithFiles();
    const memoryBefore = memory();

    let start = effects.now();
    const seconds = () => `${((effects.now() - start) / 1000).toFixed(1)} s`;
    await cluster.ok(`scale deployment many --replicas=${PODS}`);
    await patiently("all are Ready", async () => (await readyReplicas()) === PODS);
    const started = seconds();
    const full = await takenWithFiles();
    const memoryFull = memory();
    expect(full).toMatchObject({
      containers: PODS,
      namespaces: before.namespaces + PODS,
      routes: before.routes + PODS,
    });
    await eventually("all are behind the Service", async () => {
      const endpoints = await cluster.ok(
        "get endpointslices -l kubernetes.io/service-name=many -o jsonpath={.items[*].endpoints[*].addresses[0]}",
      );
      return new Set(endpoints.split(" ")).size === PODS;
    });

    start = effects.now();
    await cluster.ok("scale deployment many --replicas=0");
    await patiently("none is left", async () => (await left()) === 0);
    const ended = seconds();
    const { agentFiles, workerdFiles, ...rest } = before;
    await eventually("all is given back", async () => {
      const { agentFiles: agent, workerdFiles: workerd, ...now } = await takenWithFiles();
      expect(JSON.stringify(now)).toBe(JSON.stringify(rest));
      expect(agent).toBeLessThan(agentFiles + 4);
      expect(workerd).toBeLessThan(workerdFiles + 4);
      return true;
    });
    const memoryAfter = memory();
    console.log(
      [
        `${PODS} pods: all Ready after ${started}, all gone after ${ended}`,
        `before: ${memoryBefore}; with all: ${memoryFull}; after: ${memoryAfter}`,
        `before: ${JSON.stringify(before)}`,
        `with all: ${JSON.stringify(full)}`,
      ].join("\n"),
    );
  },
  2 * START_TIMEOUT_MS + 120_000,
);
