import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CoreV1Container } from "../../worker/kinds/generated/types.ts";
import { CgroupTree, enforceNode, machineCgroups, nodeCgroup } from "./cgroups.ts";
import { somePod } from "./testing.ts";

const MIB = 1024 * 1024;
const container = (name: string, resources: CoreV1Container["resources"]): CoreV1Container => ({ name, resources });
const guaranteed = somePod({
  containers: [
    container("a", { limits: { cpu: "100m", memory: "64Mi" }, requests: { cpu: "100m", memory: "64Mi" } }),
    container("b", { limits: { cpu: "400m", memory: "64Mi" }, requests: { cpu: "400m", memory: "64Mi" } }),
  ],
});
const burstable = somePod({ containers: [container("a", { requests: { cpu: "250m" } })] }, { uid: "u2" });
const bestEffort = somePod({}, { uid: "u3" });

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cgroups-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const HOME = "/home";
const NODE = nodeCgroup(HOME);

describe("cgroups of version 2", () => {
  beforeEach(() => writeFileSync(join(root, "cgroup.controllers"), "cpuset cpu io memory pids\n"));

  test("a guaranteed pod lies right under the node's, with the sums of its limits", () => {
    const cgroups = machineCgroups({ home: HOME, podPids: 100, root });
    expect(cgroups.parentOf("u1", guaranteed)).toBe(`${NODE}/podu1`);
    cgroups.make("u1", guaranteed);
    expect(read("cgroup.subtree_control")).toBe("+cpu +cpuset +memory +pids ");
    expect(read(NODE, "podu1/cpu.weight")).toBe("20"); // 512 shares
    expect(read(NODE, "podu1/cpu.max")).toBe("50000 100000");
    expect(read(NODE, "podu1/memory.max")).toBe(`${128 * MIB}`);
    expect(read(NODE, "podu1/pids.max")).toBe("100");
  });

  test("the others lie in their classes, which share by what their pods ask for", () => {
    const cgroups = machineCgroups({ home: HOME, root });
    cgroups.make("u2", burstable);
    cgroups.make("u3", bestEffort);
    cgroups.balance([guaranteed, burstable, bestEffort]);
    expect(read(NODE, "burstable/podu2/cpu.max")).toBe("max 100000");
    expect(read(NODE, "burstable/podu2/memory.max")).toBe("max");
    expect(read(NODE, "burstable/cpu.weight")).toBe("10"); // 256 shares
    expect(read(NODE, "besteffort/podu3/cpu.weight")).toBe("1");
    expect(read(NODE, "besteffort/cpu.weight")).toBe("1");
    expect(cgroups.uids().toSorted()).toEqual(["u2", "u3"]);
    cgroups.balance([guaranteed]);
    expect(read(NODE, "burstable/cpu.weight")).toBe("1");
  });

  test("all pods together have the node's share of the processors, up to the outermost cgroup", () => {
    enforceNode(HOME, { cpuShares: 2048, memoryBytes: 64 * MIB }, root);
    for (const path of [NODE, dirname(NODE), dirname(dirname(NODE))]) expect(read(path, "cpu.weight")).toBe("79");
    expect(read(NODE, "memory.max")).toBe(`${64 * MIB}`);
    expect(read(dirname(NODE), "memory.max")).toBe("max");
  });

  test("memory that is only cached does not count, and kills are read where the container lies", () => {
    const cgroups = machineCgroups({ home: HOME, root });
    expect(cgroups.usage("u3")).toBeUndefined();
    const folder = join(root, NODE, "besteffort/podu3/c1");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "memory.current"), "1000\n");
    writeFileSync(join(folder, "memory.stat"), "anon 500\ninactive_file 300\nactive_file 200\n");
    writeFileSync(join(folder, "pids.current"), "7\n");
    writeFileSync(join(folder, "memory.events"), "low 0\noom 3\noom_kill 2\n");
    expect(cgroups.usage("u3", "c1")).toEqual({ memoryBytes: 700, pids: 7 });
    writeFileSync(join(root, "memory.stat"), "anon 500\nfile 400\ninactive_file 300\n");
    expect(new CgroupTree(root).usage("/")?.memoryBytes).toBe(600);
    expect(cgroups.oomKills("u3", "c1")).toBe(2);
    expect(cgroups.oomKills("u3", "c2")).toBe(0);
  });

  test("huge pages of a size that was not asked for may not be used", () => {
    const tree = new CgroupTree(root, 2, [2 * MIB, 1024 * MIB]);
    tree.make("/pod", { cpuShares: 2, hugepages: new Map([[2 * MIB, 4 * MIB]]) });
    expect(read("pod/hugetlb.2MB.max")).toBe(`${4 * MIB}`);
    expect(read("pod/hugetlb.2MB.rsvd.max")).toBe(`${4 * MIB}`);
    expect(read("pod/hugetlb.1GB.max")).toBe("0");
  });
});

describe("cgroups of version 1", () => {
  beforeEach(() => {
    for (const controller of ["cpu", "memory", "pids"]) mkdirSync(join(root, controller));
  });

  test("each controller has its own folder, and what the machine lacks is left out", () => {
    const cgroups = machineCgroups({ home: HOME, root });
    cgroups.make("u1", guaranteed);
    expect(read("cpu", NODE, "podu1/cpu.shares")).toBe("512");
    expect(read("cpu", NODE, "podu1/cpu.cfs_period_us")).toBe("100000");
    expect(read("cpu", NODE, "podu1/cpu.cfs_quota_us")).toBe("50000");
    expect(read("memory", NODE, "podu1/memory.limit_in_bytes")).toBe(`${128 * MIB}`);
    expect(read("pids", NODE, "podu1/pids.max")).toBe("max");
    cgroups.make("u2", burstable);
    expect(read("cpu", NODE, "burstable/podu2/cpu.cfs_quota_us")).toBe("-1");
  });

  test("what an older agent made is found as well", () => {
    const folder = join(root, "memory/skerry/podu9/c1");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    expect(machineCgroups({ home: HOME, root }).oomKills("u9", "c1")).toBe(1);
  });
});
