import { describe, expect, test } from "vitest";
import type { CoreV1Container, CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { limitFlags, oomScore, podCgroupLimits, resourceFlags } from "./resources.ts";
import { somePod } from "./testing.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const container = (name: string, resources: CoreV1Container["resources"] = {}): CoreV1Container => ({
  name,
  resources,
});
const sidecar = (name: string, resources: CoreV1Container["resources"] = {}): CoreV1Container => ({
  ...container(name, resources),
  restartPolicy: "Always",
});
const requesting = (memory: string) => ({ requests: { memory } });

describe("the cgroup of a pod", () => {
  const limitsOf = (spec: Partial<CoreV1PodSpec>) => podCgroupLimits(somePod(spec));

  test("is bounded only where every container is", () => {
    const bounded = container("a", { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } });
    expect(limitsOf({ containers: [bounded] })).toMatchObject({ cpuShares: 512, cpuQuota: 100_000, memoryBytes: GIB });
    const open = limitsOf({ containers: [bounded, container("b")] });
    expect(open).toMatchObject({ cpuShares: 512 });
    expect(open).not.toHaveProperty("cpuQuota");
    expect(open).not.toHaveProperty("memoryBytes");
  });

  test("has room for the largest init container beside the sidecars before it, and for the overhead", () => {
    const one = { limits: { cpu: "1", memory: "100Mi" }, requests: { cpu: "1", memory: "100Mi" } };
    const three = { limits: { cpu: "3", memory: "300Mi" }, requests: { cpu: "3", memory: "300Mi" } };
    const spec = {
      initContainers: [sidecar("s", one), container("i", three)],
      containers: [container("a", one)],
      overhead: { cpu: "500m", memory: "50Mi" },
    };
    expect(limitsOf(spec)).toMatchObject({ cpuShares: 4608, cpuQuota: 450_000, memoryBytes: 450 * MIB });
  });

  test("follows what the pod says as a whole", () => {
    const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "128Mi" } };
    expect(limitsOf({ resources, containers: [container("a"), container("b")] })).toMatchObject({
      cpuShares: 102,
      cpuQuota: 20_000,
      memoryBytes: 128 * MIB,
    });
  });

  test("of a pod that asks for nothing has the least share and no bounds", () => {
    expect(limitsOf({})).toEqual({ cpuShares: 2, hugepages: new Map() });
  });

  test("names the huge pages that were asked for", () => {
    const pages = { "hugepages-2Mi": "4Mi" };
    const { hugepages } = limitsOf({ containers: [container("a", { requests: pages, limits: pages })] });
    expect(hugepages).toEqual(new Map([[2 * MIB, 4 * MIB]]));
  });
});

describe("a container", () => {
  test("gets its limits in the kernel's units, never less than a millisecond", () => {
    const flags = limitFlags(somePod(), container("a", { limits: { cpu: "5m", memory: "64Mi" } }));
    expect(flags.join(" ")).toBe(
      `--cpu-shares 5 --cpu-period 100000 --cpu-quota 1000 --memory ${64 * MIB} --memory-swap ${64 * MIB}`,
    );
  });

  test("without limits of its own is bounded by the pod's", () => {
    const pod = somePod({ resources: { limits: { cpu: "1", memory: "1Gi" } } });
    expect(limitFlags(pod, container("a", { requests: { cpu: "0" } })).join(" ")).toBe(
      `--cpu-shares 2 --cpu-period 100000 --cpu-quota 100000 --memory ${GIB} --memory-swap ${GIB}`,
    );
  });

  test("is told what only cgroups of version 2 know", () => {
    const runtime = { version: 2, swap: true, pageSizes: [2 * MIB, GIB] } as const;
    const flags = resourceFlags(somePod(), container("a", { limits: { "hugepages-2Mi": "4Mi" } }), GIB, runtime);
    expect(flags.filter((_, index) => flags[index - 1] === "--cgroup-conf")).toEqual([
      "memory.oom.group=1",
      "memory.swap.max=0",
      `hugetlb.2MB.max=${4 * MIB}`,
      `hugetlb.2MB.rsvd.max=${4 * MIB}`,
      "hugetlb.1GB.max=0",
      "hugetlb.1GB.rsvd.max=0",
    ]);
    expect(resourceFlags(somePod(), container("a"), GIB, { ...runtime, version: 1 })).not.toContain("--cgroup-conf");
  });
});

describe("who is killed first when memory runs out", () => {
  const scoreOf = (spec: Partial<CoreV1PodSpec>, name: string) => {
    const pod = somePod(spec);
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    return oomScore(pod, all.find((c) => c.name === name) ?? container(name), 10 * GIB);
  };

  test("the less a burstable container asks for, the sooner", () => {
    expect(scoreOf({ containers: [container("a", requesting("1Gi"))] }, "a")).toBe(900);
    expect(scoreOf({ containers: [container("a", requesting("1"))] }, "a")).toBe(999);
    expect(scoreOf({ containers: [container("a", requesting("10Gi"))] }, "a")).toBe(3);
    expect(scoreOf({ containers: [container("a"), container("b", requesting("1Gi"))] }, "a")).toBe(999);
  });

  test("best-effort pods before all, guaranteed and node-critical ones after all", () => {
    const tight = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } };
    expect(scoreOf({}, "app")).toBe(1000);
    expect(scoreOf({ containers: [container("a", tight)] }, "a")).toBe(-997);
    const critical = { priorityClassName: "system-node-critical", priority: 2_000_001_000 };
    expect(scoreOf(critical, "app")).toBe(-997);
    expect(scoreOf({ priorityClassName: "system-cluster-critical", priority: 2_000_000_000 }, "app")).toBe(1000);
  });

  test("a sidecar no sooner than the containers that it serves", () => {
    const spec = { initContainers: [sidecar("s", requesting("1Gi"))], containers: [container("a", requesting("2Gi"))] };
    expect(scoreOf(spec, "s")).toBe(800);
    expect(scoreOf({ ...spec, initContainers: [sidecar("s", requesting("3Gi"))] }, "s")).toBe(700);
  });

  test("what the pod asks for and no container does is all of theirs alike", () => {
    const spec = {
      resources: { requests: { memory: "4Gi" } },
      containers: [container("a", requesting("2Gi")), container("b")],
    };
    expect(scoreOf(spec, "a")).toBe(700);
    expect(scoreOf(spec, "b")).toBe(900);
  });
});
