/** Agents renew themselves from the control plane: one first, then the others; and come back from what does not work. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { administrator } from "../../agent/local/credentials.ts";
import type { Server } from "../../agent/local/http.ts";
import { buildAgent } from "../../agent/update/build.ts";
import { publish, want } from "../../agent/update/command.ts";
import { ROLLOUT, ROLLOUT_NAMESPACE, releaseName, WANTED_VERSION } from "../../worker/lib/agent-rollout.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";

const ROOT = join(import.meta.dirname, "../..");

let lan: Lan;
let cluster: TestCluster;
let server: Server;
let url = "";
const machines: Machine[] = [];
/** The processes of the containers, which no renewal may touch. */
let living: string[] = [];

const pod = (node: string) => `
apiVersion: v1
kind: Pod
metadata: { name: on-${node}, labels: { test: steady } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: "busybox:test", command: [sleep, "100000"] }]
---`;

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  server = await administrator({ path: cluster.home, port: cluster.port });
  const joining = joinArguments((await cluster.skerry("token", "create")).stdout, lan);
  url = joining[0] ?? "";
  for (const [n, name] of ["node-b", "node-c"].entries()) {
    const machine = await Machine.make(name, lan, n + 2);
    cluster.machines.push(machine);
    machines.push(machine);
    await machine.join(joining);
  }
  await cluster.apply(["node-b", "node-c"].map(pod).join("\n"));
  await cluster.ok("wait --for=condition=Ready pod -l test=steady --timeout=120s");
  living = await pids();
  expect(living).toHaveLength(2);
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

async function pids(): Promise<string[]> {
  const found: string[] = [];
  for (const machine of machines) {
    const ids = (await machine.nerdctl("ps", "-q", "--no-trunc")).stdout.split("\n").filter(Boolean);
    const inspected = await machine.nerdctl("inspect", "--format", "{{.ID}} {{.State.Pid}}", ...ids);
    found.push(...inspected.stdout.split("\n").filter(Boolean));
  }
  return found.toSorted();
}

type Nodes = {
  items: {
    metadata: { name: string; annotations?: Record<string, string> };
    status: { nodeInfo: { kubeletVersion: string }; conditions: { type: string; status: string }[] };
  }[];
};
const nodes = async () => (await cluster.json<Nodes>("get nodes")).items;
const versions = async () =>
  (await nodes()).map(({ status }) => {
    const ready = status.conditions.find(({ type }) => type === "Ready")?.status;
    return `${status.nodeInfo.kubeletVersion.split("+skerry.")[1]} ${ready}`;
  });
const rollout = async () =>
  (await cluster.json<{ data: Record<string, string> }>(`get configmap -n ${ROLLOUT_NAMESPACE} ${ROLLOUT}`)).data;
const comesTo = (state: string, version: string) =>
  eventually(`${version} is ${state}`, async () => {
    const data = await rollout();
    return data.version === version && data.state === state && data;
  });

/** Replaces one of the agent's files. */
const instead = (file: string, contents: string): Plugin => ({
  name: "instead",
  setup: (build) => build.onLoad({ filter: new RegExp(`/${file}$`) }, () => ({ contents, loader: "ts" })),
});
const crashing = instead("agent/update/agent-alone.ts", "process.exit(3)");
const mute = instead(
  "agent/link-socket.ts",
  "export const dialLink = () => ({ send() {}, close() {}, terminate() {}, onOpen() {}, onMessage() {}, onClose() {} });",
);

async function release(version: string, options: { plugins?: Plugin[]; timeout?: number } = {}): Promise<void> {
  const archive = await buildAgent(ROOT, { version, plugins: options.plugins });
  const timeout = options.timeout ?? 600;
  await publish(server, { version, archive, timeout }, () => {});
  await want(server, { version, percent: 50, timeout });
}

describe("a renewal", () => {
  test("brings all agents to a new version, one first, and touches no container", async () => {
    await release("0.1.1");
    await eventually("the first is told", async () => {
      const told = (await nodes()).filter(({ metadata }) => metadata.annotations?.[WANTED_VERSION] === "0.1.1");
      return told.length > 0;
    });
    await comesTo("Complete", "0.1.1");
    await eventually("all are well", async () => (await versions()).join() === "0.1.1 True,0.1.1 True");
    expect(await pids()).toEqual(living);
    await eventually("it can be reached", async () => (await cluster.ok("exec on-node-b -- echo in")) === "in\n");
    const said = await cluster.skerry("upgrade", "status");
    expect(said.stdout).toBe("0.1.1\tComplete\t2 of 2 nodes have 0.1.1\nnode-b\t0.1.1\tReady\nnode-c\t0.1.1\tReady\n");
  });

  test("stops at a version that ends at its start, and the node is as before", async () => {
    await release("0.1.2", { plugins: [crashing] });
    const { message } = await comesTo("Stopped", "0.1.2");
    expect(message).toContain("it ended 3 times before the cluster heard of it");
    await eventually("all are well", async () => (await versions()).join() === "0.1.1 True,0.1.1 True");
    const told = (await nodes()).filter(({ metadata }) => metadata.annotations?.[WANTED_VERSION] === "0.1.2");
    expect(told).toHaveLength(1);
    expect(await pids()).toEqual(living);
  });

  test("stops at a version that comes up and cannot reach the cluster", async () => {
    await release("0.1.3", { plugins: [mute], timeout: 30 });
    const { message } = await comesTo("Stopped", "0.1.3");
    expect(message).toMatch(/did not hear of it within 15 s|0\.1\.1 30 s after it was told/);
    await eventually("all are well", async () => (await versions()).join() === "0.1.1 True,0.1.1 True");
    const failure = "skerry.dev/agent-update-failed";
    await eventually("the node says why", async () =>
      (await nodes()).some(
        ({ metadata }) => metadata.annotations?.[failure] === "0.1.3: the cluster did not hear of it within 15 s",
      ),
    );
    expect(await pids()).toEqual(living);
  });

  test("takes nothing whose digest is another than was told", async () => {
    const archive = await buildAgent(ROOT, { version: "0.1.4" });
    await publish(server, { version: "0.1.4", archive, timeout: 600 }, () => {});
    const data = { data: { sha256: "0".repeat(64) } };
    await cluster.ok([
      "patch",
      "configmap",
      "-n",
      ROLLOUT_NAMESPACE,
      releaseName("0.1.4"),
      "--type=merge",
      `-p=${JSON.stringify(data)}`,
    ]);
    await want(server, { version: "0.1.4", percent: 100, timeout: 600 });
    expect((await comesTo("Stopped", "0.1.4")).message).toContain("its archive has the digest");
    expect(existsSync(join(machines[0]?.home ?? "", "agent/versions/0.1.4"))).toBe(false);
  });

  test("survives kill -9 in its middle: the node has one version or the other, and the new one in the end", async () => {
    await release("0.1.5");
    const [first] = machines;
    if (!first) throw new Error("no machine");
    for (const ms of [0, 300, 700]) {
      await eventually("it is taken", async () => existsSync(join(first.home, "agent/versions/0.1.5")));
      await effects.sleep(ms);
      await first.kill();
      await first.join([url]);
    }
    await comesTo("Complete", "0.1.5");
    await eventually("all are well", async () => (await versions()).join() === "0.1.5 True,0.1.5 True");
    expect(await pids()).toEqual(living);
  });
});
