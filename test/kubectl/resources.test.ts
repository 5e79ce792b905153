/** What a node makes of requests and limits: cgroups, ends for want of memory, evictions, refusals. */
import { readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupVersion, nodeCgroup } from "../../agent/pods/cgroups.ts";
import type { CoreV1Event, CoreV1Node, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { eventually, TestCluster } from "../support/cluster.ts";

const MIB = 1024 * 1024;
/** What all pods together may have, and what has to be left of it, whatever the machine has beside. */
const PODS_MIB = 1000;
const LEFT_MIB = 300;

let cluster: TestCluster;
beforeAll(async () => {
  const reserved = Math.floor(totalmem() / MIB) - PODS_MIB;
  cluster = await TestCluster.start({
    flags: [
      ...["--node-name", "node-a", "--pod-max-pids", "64"],
      ...["--system-reserved", `memory=${reserved}Mi`, "--eviction-hard", `memory.available<${LEFT_MIB}Mi`],
      ...["--eviction-pressure-transition-period", "40s"],
    ],
  });
});
afterAll(async () => {
  await cluster?.stop();
});

type Spec = {
  resources?: string;
  script?: string;
  spec?: string;
  mount?: string;
};

const pod = (name: string, { resources = "{}", script = "exec sleep 1000", spec = "", mount = "" }: Spec) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  ${spec}
  containers:
    - name: c
      image: busybox:test
      command: [sh, -c, '${script}']
      resources: ${resources}
      ${mount && `volumeMounts: [{ name: v, mountPath: ${mount} }]`}
---`;

const podOf = (name: string) => cluster.json<CoreV1Pod>(`get pod ${name}`);
const over = (name: string) =>
  eventually(`${name} is over`, async () => {
    const { status } = await podOf(name);
    return status?.phase === "Failed" && status;
  });
const running = async (...names: string[]) =>
  cluster.ok(["wait", "--for=condition=Ready", "--timeout=60s", ...names.map((name) => `pod/${name}`)]);
const conditions = async () => {
  const { status } = await cluster.json<CoreV1Node>("get node node-a");
  return new Map(status?.conditions?.map((condition) => [condition.type, condition]));
};

/** A file of a cgroup, by its names in version 1 and 2. */
function cgroupFile(path: string, controller: string, v1: string, v2: string): string {
  const root = "/sys/fs/cgroup";
  const file = cgroupVersion() === 1 ? join(root, controller, path, v1) : join(root, path, v2);
  return readFileSync(file, "utf8").trim();
}

describe("requests and limits", () => {
  test("become cgroups: of the pod's class, of the pod, of its containers", async () => {
    const tight = "{ limits: { cpu: 200m, memory: 64Mi } }";
    const asking = "{ requests: { cpu: 100m, memory: 16Mi }, limits: { memory: 32Mi } }";
    await cluster.apply(
      pod("guaranteed", { resources: tight }) +
        pod("burstable", { resources: asking }) +
        pod("besteffort", {}) +
        pod("whole", { spec: "resources: { limits: { cpu: 300m, memory: 48Mi } }" }),
    );
    await running("guaranteed", "burstable", "besteffort", "whole");
    const node = nodeCgroup(cluster.home);
    const folder = async (name: string, parent: string) => join(node, parent, `pod${(await podOf(name)).metadata.uid}`);
    const containerIn = (path: string) => {
      const root = join("/sys/fs/cgroup", cgroupVersion() === 1 ? "memory" : "", path);
      const [id = ""] = readdirSync(root).filter((entry) => /^[0-9a-f]{64}$/.test(entry));
      return join(path, id);
    };
    const guaranteed = await folder("guaranteed", "");
    const v1 = cgroupVersion() === 1;
    const memoryOf = (path: string) => cgroupFile(path, "memory", "memory.limit_in_bytes", "memory.max");
    const quotaOf = (path: string) => cgroupFile(path, "cpu", "cpu.cfs_quota_us", "cpu.max").split(" ")[0];
    const shareOf = (path: string) => cgroupFile(path, "cpu", "cpu.shares", "cpu.weight");
    expect(memoryOf(node)).toBe(`${PODS_MIB * MIB + (totalmem() % MIB)}`);
    for (const path of [guaranteed, containerIn(guaranteed)]) {
      expect(memoryOf(path)).toBe(`${64 * MIB}`);
      expect(quotaOf(path)).toBe("20000");
      expect(shareOf(path)).toBe(v1 ? "204" : "8");
    }
    expect(cgroupFile(guaranteed, "pids", "pids.max", "pids.max")).toBe("64");
    const burstable = await folder("burstable", "burstable");
    expect(memoryOf(burstable)).toBe(`${32 * MIB}`);
    expect(quotaOf(burstable)).toBe(v1 ? "-1" : "max");
    expect(shareOf(join(node, "burstable"))).toBe(v1 ? "102" : "4");
    const besteffort = await folder("besteffort", "besteffort");
    expect(shareOf(besteffort)).toBe(v1 ? "2" : "1");
    const whole = await folder("whole", "");
    for (const path of [whole, containerIn(whole)]) {
      expect(memoryOf(path)).toBe(`${48 * MIB}`);
      expect(quotaOf(path)).toBe("30000");
    }
    const scores = await cluster.ok(["exec", "burstable", "--", "cat", "/proc/1/oom_score_adj"]);
    expect(Number(scores)).toBe(Math.min(1000 - Math.floor((1000 * 16 * MIB) / totalmem()), 999));
    await cluster.ok("delete pod guaranteed burstable besteffort whole --wait");
  });

  test("too many processes are too many for their pod alone, and too much memory ends a container", async () => {
    await cluster.apply(
      pod("forks", { script: "i=0; while [ $i -lt 100 ]; do sleep 100 & i=$((i+1)); done; wait" }) +
        pod("grows", {
          script: "tail /dev/zero",
          resources: "{ limits: { memory: 32Mi } }",
          spec: "restartPolicy: Never",
        }),
    );
    const { containerStatuses } = await over("grows");
    expect(containerStatuses?.[0]?.state?.terminated).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
    await eventually("forks is refused more", async () => {
      const said = await cluster.ok("logs forks");
      return said.includes("fork");
    });
    await cluster.ok("delete pod forks grows --wait");
  });
});

describe("storage on the node's disk", () => {
  test("is bounded by volume, by pod and by container, and whoever takes more is evicted", async () => {
    const write = (path: string) => `dd if=/dev/zero of=${path}/big bs=1M count=20 2>/dev/null; exec sleep 1000`;
    const limit = "{ limits: { ephemeral-storage: 10Mi } }";
    const twoContainers = `
apiVersion: v1
kind: Pod
metadata: { name: container }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: c, image: busybox:test, command: [sh, -c, '${write("")}'], resources: ${limit} }
    - { name: d, image: busybox:test, command: [sleep, "1000"], resources: { limits: { ephemeral-storage: 90Mi } } }
---`;
    await cluster.apply(
      pod("volume", {
        script: write("/v"),
        mount: "/v",
        spec: "volumes: [{ name: v, emptyDir: { sizeLimit: 10Mi } }]",
      }) +
        pod("pod", {
          script: write("/v"),
          mount: "/v",
          spec: "volumes: [{ name: v, emptyDir: {} }]",
          resources: limit,
        }) +
        pod("logs", { script: "yes | head -c 20000000; exec sleep 1000", resources: limit }) +
        pod("moderate", { script: "dd if=/dev/zero of=/big bs=1M count=5; exec sleep 1000", resources: limit }) +
        twoContainers,
    );
    const messages = await Promise.all(["volume", "pod", "logs", "container"].map(over));
    expect(messages.map(({ reason, message }) => [reason, message])).toEqual([
      ["Evicted", 'Usage of EmptyDir volume "v" exceeds the limit "10Mi". '],
      ["Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "],
      ["Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "],
      ["Evicted", 'Container c exceeded its local ephemeral storage limit "10Mi". '],
    ]);
    await eventually("events tell of all", async () => {
      const events = await cluster.json<{ items: CoreV1Event[] }>("get events --field-selector reason=Evicted");
      const told = events.items.map(({ type, involvedObject }) => `${type} ${involvedObject.name}`);
      return told.toSorted().join() === "Warning container,Warning logs,Warning pod,Warning volume";
    });
    expect((await podOf("moderate")).status?.phase).toBe("Running");
    await cluster.ok("delete pod volume pod logs moderate container --wait");
  });
});

describe("a node whose pods run out of memory", () => {
  const taking = (mib: number) =>
    `dd if=/dev/zero of=/v/big bs=1M count=${mib} 2>/dev/null && echo taken; exec sleep 1000`;
  const inMemory = "volumes: [{ name: v, emptyDir: { medium: Memory } }]";
  const eater = (name: string, request: number, mib: number, spec = "") =>
    pod(name, {
      script: taking(mib),
      mount: "/v",
      spec: `${spec}\n  ${inMemory}`,
      resources: `{ requests: { memory: ${request}Mi } }`,
    });
  const taken = (name: string) =>
    eventually(`${name} has taken its memory`, async () => (await cluster.ok(`logs ${name}`)).includes("taken"));

  test("evicts who takes more than it asked for, least important first, says so, and takes no more of them", async () => {
    await cluster.apply(
      "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: { name: important }\nvalue: 1000\n---\n" +
        eater("within", 250, 200) +
        eater("important", 10, 200, "priorityClassName: important"),
    );
    await Promise.all([taken("within"), taken("important")]);
    expect((await conditions()).get("MemoryPressure")?.status).toBe("False");
    await cluster.apply(eater("greedy", 10, 330));
    // It lasts until a while after greedy has gone: what is to be seen of it is looked for first.
    const pressure = await eventually("the node tells of pressure", async () => {
      const condition = (await conditions()).get("MemoryPressure");
      return condition?.status === "True" && condition;
    });
    await cluster.apply(pod("unasked", { spec: "nodeName: node-a" }));
    await eventually("the node is tainted", async () => {
      const { spec } = await cluster.json<CoreV1Node>("get node node-a");
      return spec.taints?.some(
        ({ key, effect }) => key === "node.kubernetes.io/memory-pressure" && effect === "NoSchedule",
      );
    });
    expect(await over("unasked")).toMatchObject({
      reason: "Evicted",
      message: "Pod was rejected: The node had condition: [MemoryPressure]. ",
    });
    expect(pressure).toMatchObject({
      reason: "KubeletHasInsufficientMemory",
      message: "kubelet has insufficient memory available",
    });
    const { reason, message, conditions: told } = await over("greedy");
    expect(reason).toBe("Evicted");
    expect(message).toMatch(
      /^The node was low on resource: memory\. Threshold quantity: 300Mi, available: \d+[KM]i\. Container c was using \d+[KM]i, request is 10Mi, has larger consumption of memory\. $/,
    );
    expect(told?.find(({ type }) => type === "DisruptionTarget")).toMatchObject({
      status: "True",
      reason: "TerminationByKubelet",
      message,
    });
    for (const name of ["within", "important"]) expect((await podOf(name)).status?.phase).toBe("Running");
    for (const words of ["Attempting to reclaim memory", "NodeHasInsufficientMemory"])
      await eventually(`an event says ${words}`, async () =>
        (await cluster.ok("get events -A --field-selector involvedObject.kind=Node")).includes(words),
      );
    await eventually(
      "the pressure is over",
      async () => (await conditions()).get("MemoryPressure")?.status === "False",
    );
    await eventually("the taint is gone", async () => {
      const { spec } = await cluster.json<CoreV1Node>("get node node-a");
      return !spec.taints?.length;
    });
    expect(await cluster.ok("describe node node-a")).toMatch(/memory +260Mi \(\d+%\)/);
    await cluster.ok("delete pod within important greedy unasked --wait");
  });
});
