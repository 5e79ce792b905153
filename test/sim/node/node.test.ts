import { expect, test } from "vitest";
import { TinyCluster } from "./testing.ts";

async function clusterWith(pods: Record<string, string>, seed = 1): Promise<TinyCluster> {
  const cluster = new TinyCluster(seed);
  cluster.node.start();
  await cluster.pass(5);
  for (const [name, image] of Object.entries(pods)) cluster.run(name, image);
  await cluster.pass(30);
  return cluster;
}

const phase = (cluster: TinyCluster, pod: string) => cluster.pod(pod)?.status?.phase;
const restarts = (cluster: TinyCluster, pod: string) => cluster.pod(pod)?.status?.containerStatuses?.[0]?.restartCount;

test("a pod starts, its address is of the node's range, and its end leaves nothing", async () => {
  const cluster = await clusterWith({ web: "app:1" });
  expect(phase(cluster, "web")).toBe("Running");
  expect(cluster.pod("web")?.status?.podIP).toBe("10.1.0.2");
  expect(cluster.running("web").map(({ container }) => container.name)).toEqual(["main"]);
  cluster.delete("web");
  await cluster.pass(30);
  expect(cluster.pod("web")).toBeUndefined();
  expect([...cluster.containers]).toEqual([]);
});

test("a container that ends is started again; one of a job is not", async () => {
  const cluster = new TinyCluster(2);
  cluster.node.start();
  await cluster.pass(5);
  cluster.run("crash", "crash:1");
  cluster.run("job", "job:1", { restartPolicy: "Never" });
  await cluster.pass(600);
  expect(restarts(cluster, "crash")).toBeGreaterThan(3);
  expect(phase(cluster, "job")).toBe("Succeeded");
});

test("a new agent adopts what runs, without a restart", async () => {
  const cluster = await clusterWith({ web: "app:1" });
  const before = cluster.running().map(({ container }) => container.id);
  cluster.node.crash();
  await cluster.pass(10);
  expect(cluster.running()).toHaveLength(2);
  cluster.node.start();
  await cluster.pass(120);
  expect(cluster.running().map(({ container }) => container.id)).toEqual(before);
  expect(restarts(cluster, "web")).toBe(0);
});

test("after a loss of power pods start again without an uplink", async () => {
  const cluster = await clusterWith({ web: "app:1" });
  cluster.cut(true);
  cluster.node.powerOff();
  expect(cluster.running()).toEqual([]);
  cluster.node.start();
  await cluster.pass(60);
  expect(cluster.running("web").map(({ container }) => container.name)).toEqual(["main"]);
  cluster.cut(false);
  await cluster.pass(60);
  expect(restarts(cluster, "web")).toBe(1);
});

test("a frozen node does nothing, then goes on", async () => {
  const cluster = await clusterWith({ web: "app:1" });
  cluster.node.freeze(60_000);
  cluster.run("late", "app:1");
  await cluster.pass(59);
  expect(cluster.running("late")).toEqual([]);
  await cluster.pass(30);
  expect(phase(cluster, "late")).toBe("Running");
});
