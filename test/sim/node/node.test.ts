import { expect, test } from "vitest";
import { TinyCluster } from "./testing.ts";

const running = (image: string) => ({ containers: [{ name: "main", image }] });

async function clusterWith(pods: Record<string, string>, seed = 1): Promise<TinyCluster> {
  const cluster = new TinyCluster(seed);
  cluster.node.start();
  await cluster.pass(5);
  for (const [name, image] of Object.entries(pods)) cluster.run(name, running(image));
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
  cluster.run("crash", running("crash:1"));
  cluster.run("job", { ...running("job:1"), restartPolicy: "Never" });
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
  cluster.run("late", running("app:1"));
  await cluster.pass(59);
  expect(cluster.running("late")).toEqual([]);
  await cluster.pass(30);
  expect(phase(cluster, "late")).toBe("Running");
});

test("an agent killed while it starts a container does not start it twice", async () => {
  for (let ms = 0; ms < 600; ms += 20) {
    const cluster = new TinyCluster(ms);
    cluster.node.start();
    await cluster.pass(5);
    cluster.run("web", running("app:1"));
    await cluster.pass(ms / 1000);
    cluster.node.crash();
    cluster.node.start();
    await cluster.pass(60);
    expect(cluster.breaks).toEqual([]);
    expect(cluster.running("web")).toHaveLength(1);
  }
});

test("a process whose keeper died before its pid was known is ended before another takes its place", async () => {
  const cluster = await clusterWith({});
  cluster.run("web", running("stubborn:1"));
  while (!cluster.running("web").length) await cluster.pass(0.001);
  for (const container of cluster.node.machine.running()) cluster.node.machine.loseKeeper(container);
  await cluster.pass(120);
  expect(cluster.breaks).toEqual([]);
  expect(cluster.running("web")).toHaveLength(1);
});

test("a machine whose clock is wrong, and then set, restarts its containers as any other", async () => {
  const cluster = new TinyCluster(1);
  cluster.node.skew(3_600_000);
  cluster.node.start();
  await cluster.pass(5);
  cluster.run("crash", running("crash:1"));
  await cluster.pass(60);
  cluster.node.skew(0);
  await cluster.pass(600);
  expect(restarts(cluster, "crash")).toBeGreaterThan(3);
  expect(restarts(cluster, "crash")).toBeLessThan(9);
});

test("a pod that a restored disk does not know goes on until the cluster has spoken", async () => {
  const cluster = await clusterWith({});
  cluster.node.remember();
  cluster.run("web", running("app:1"));
  await cluster.pass(30);
  cluster.cut(true);
  cluster.node.restore();
  await cluster.pass(120);
  cluster.cut(false);
  await cluster.pass(120);
  expect(cluster.breaks).toEqual([]);
  expect(restarts(cluster, "web")).toBe(0);
  expect(cluster.running("web")).toHaveLength(1);
});

test("a pod that ended after its node's disk was copied stays as it ended", async () => {
  const cluster = await clusterWith({});
  cluster.run("work", { ...running("job:1"), restartPolicy: "Never" });
  await cluster.pass(0.5);
  cluster.node.remember();
  await cluster.pass(60);
  expect(cluster.pod("work")?.status?.phase).toBe("Succeeded");
  cluster.node.powerOff();
  cluster.node.start();
  await cluster.pass(30);
  const started = cluster.seen.length;
  cluster.node.restore();
  for (let moment = 0; moment < 200; moment++) {
    await cluster.pass(0.1);
    expect(cluster.pod("work")?.status?.phase).toBe("Succeeded");
  }
  expect(cluster.seen.slice(started).filter(({ state }) => state === "running")).toEqual([]);
});

test("a pod that is taken back while its node ends it runs again", async () => {
  const cluster = await clusterWith({ web: "stubborn:1" });
  const taken = cluster.take("web");
  await cluster.pass(1);
  cluster.give(taken);
  await cluster.pass(60);
  expect(cluster.breaks).toEqual([]);
  expect(cluster.running("web")).toHaveLength(1);
});

test("what no pod is known of is ended once the cluster has spoken", async () => {
  const cluster = await clusterWith({});
  cluster.node.remember();
  cluster.run("web", running("app:1"));
  await cluster.pass(30);
  cluster.cut(true);
  cluster.node.restore();
  cluster.take("web");
  await cluster.pass(120);
  expect(cluster.running("web")).toHaveLength(1);
  cluster.cut(false);
  await cluster.pass(120);
  expect([...cluster.containers]).toEqual([]);
});

test("a container that ran out of memory while nobody looked is said to have, even without a memory of it", async () => {
  const cluster = await clusterWith({ web: "app:1" });
  const { node } = cluster;
  node.crash();
  for (const container of node.machine.running()) node.machine.runOutOfMemory(container);
  node.disk.pods.clear();
  node.start();
  await cluster.pass(60);
  expect(cluster.pod("web")?.status?.containerStatuses?.[0]?.lastState?.terminated?.reason).toBe("OOMKilled");
});

test("a full disk ends nothing: pods start and restart, and what they did is known after it", async () => {
  const cluster = await clusterWith({ web: "app:1" });
  cluster.node.fill(true);
  cluster.run("late", running("crash:1"));
  await cluster.pass(120);
  expect(cluster.running("late")).toEqual([]); // a container needs files
  expect(restarts(cluster, "late")).toBe(0);
  cluster.node.crash();
  cluster.node.start();
  await cluster.pass(30);
  expect(restarts(cluster, "web")).toBe(0);
  expect(cluster.running("web")).toHaveLength(1);
  cluster.node.fill(false);
  await cluster.pass(300);
  expect(restarts(cluster, "late")).toBeGreaterThan(1);
  const before = restarts(cluster, "late") ?? 0;
  cluster.cut(true);
  cluster.node.crash();
  cluster.node.start();
  await cluster.pass(600);
  cluster.cut(false);
  await cluster.pass(60);
  expect(restarts(cluster, "late")).toBeGreaterThan(before);
  expect(cluster.breaks).toEqual([]);
});

test("a node that lost its disk finds its pods again, and ends those that are gone", async () => {
  const cluster = await clusterWith({ web: "app:1", gone: "app:1" });
  const before = cluster.running("web").map(({ container }) => container.id);
  cluster.node.crash();
  cluster.node.lose();
  cluster.take("gone");
  cluster.node.start();
  await cluster.pass(120);
  expect(cluster.running("web").map(({ container }) => container.id)).toEqual(before);
  expect(cluster.running("gone")).toEqual([]);
  expect(restarts(cluster, "web")).toBe(0);
});
