import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cgroupOf } from "./cgroup.ts";
import { cgroupV1 } from "./cgroup-v1.ts";
import { cgroupV2 } from "./cgroup-v2.ts";
import { DiskUsages, writableLayerOf } from "./disk.ts";
import { interfacesOf } from "./network.ts";

const root = mkdtempSync(join(tmpdir(), "figures-"));
afterAll(() => rmSync(root, { recursive: true }));

function written(folder: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return join(root, folder);
}

const v1 = written("v1", {
  "cpuacct/pod/cpuacct.usage": "5000000000\n",
  "cpuacct/pod/cpuacct.stat": "user 300\nsystem 200\n",
  "cpu/pod/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 700\n",
  "cpu/pod/cpu.shares": "512\n",
  "cpu/pod/cpu.cfs_period_us": "100000\n",
  "cpu/pod/cpu.cfs_quota_us": "-1\n",
  "memory/pod/memory.usage_in_bytes": "9000\n",
  "memory/pod/memory.stat": "cache 1\ninactive_file 2\ntotal_cache 4000\ntotal_rss 3000\ntotal_inactive_file 1000\n",
  "memory/pod/memory.limit_in_bytes": "9223372036854771712\n",
  "memory/pod/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
  "memory/pod/cgroup.procs": "1\n2\n",
  "pids/pod/pids.current": "5\n",
  "pids/pod/pids.max": "max\n",
  "blkio/pod/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
  "blkio/pod/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\n",
});

const v2 = written("v2", {
  "pod/cpu.stat":
    "usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 7\n",
  "pod/cpu.max": "50000 100000\n",
  "pod/cpu.weight": "39\n",
  "pod/cpu.pressure":
    "some avg10=1.50 avg60=0.00 avg300=0.00 total=42\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
  "pod/memory.current": "9000\n",
  "pod/memory.max": "65536\n",
  "pod/memory.swap.max": "max\n",
  "pod/memory.stat": "anon 3000\nfile 4000\ninactive_file 10000\n",
  "pod/memory.events": "max 2\noom_kill 3\n",
  "pod/cgroup.procs": "1\n2\n",
  "pod/pids.current": "5\n",
  "pod/io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n",
  "c/memory.max": "max\n",
  "c/memory.swap.max": "0\n",
  "c/memory.min": "4096\n",
  "memory.stat": "inactive_file 1000\nanon 3000\nfile 2000\n",
  "proc/meminfo": "MemTotal:  100 kB\nMemFree:  60 kB\nSwapTotal:  8 kB\nSwapFree:  3 kB\n",
});

const io = [{ device: "8:0", readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 }];

describe("a cgroup of version 1", () => {
  const cgroup = cgroupV1(v1);
  test("is read in its hierarchy's figures", () => {
    expect(cgroup.cpu("/pod")).toBe(5e9);
    expect(cgroup.cpuTimes("/pod")).toEqual({ user: 3e9, system: 2e9 });
    expect(cgroup.throttling("/pod")).toEqual({ periods: 10, throttledPeriods: 4, ns: 700 });
    expect(cgroup.memory("/pod")).toMatchObject({ usage: 9000, workingSet: 8000, rss: 3000, cache: 4000 });
    expect(cgroup.spec("/pod")).toMatchObject({ cpuShares: 512, cpuPeriod: 100_000, cpuQuota: 0, memoryLimit: 0 });
    expect(cgroup.tasks("/pod")).toEqual({ processes: 2, threads: 5, maxThreads: 0 });
    expect(cgroup.io("/pod")).toEqual(io);
    expect(cgroup.oomKills("/pod")).toBe(3);
  });
  test("that is gone has no figures", () => {
    const none = [
      cgroup.cpu("/x"),
      cgroup.memory("/x"),
      cgroup.spec("/x"),
      cgroup.tasks("/x"),
      cgroup.throttling("/x"),
    ];
    expect(none).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(cgroup.io("/x")).toEqual([]);
  });
});

describe("a cgroup of version 2", () => {
  const cgroup = cgroupV2(v2, join(v2, "proc"));
  test("is read in the units of version 1", () => {
    expect(cgroup.cpu("/pod")).toBe(5e9);
    expect(cgroup.cpuTimes("/pod")).toEqual({ user: 3e9, system: 2e9 });
    expect(cgroup.throttling("/pod")).toEqual({ periods: 10, throttledPeriods: 4, ns: 7000 });
    expect(cgroup.memory("/pod")).toMatchObject({ usage: 9000, workingSet: 0, rss: 3000, cache: 4000, failures: 2 });
    const spec = { cpuShares: 998, cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimit: 65_536, swapLimit: undefined };
    expect(cgroup.spec("/pod")).toMatchObject(spec);
    expect(cgroup.spec("/c")).toMatchObject({ memoryLimit: 0, swapLimit: 0, reservation: 4096 });
    expect(cgroup.tasks("/pod")).toEqual({ processes: 2, threads: 5, maxThreads: 0 });
    expect(cgroup.io("/pod")).toEqual(io);
    expect(cgroup.oomKills("/pod")).toBe(3);
    expect(cgroup.pressure("/pod", "cpu")?.some).toEqual({ total: 42, avg10: 1.5, avg60: 0, avg300: 0 });
  });
  test("that is the outermost one uses what processes have and what is cached", () => {
    expect(cgroup.memory("/")).toMatchObject({ usage: 5000, workingSet: 4000, swap: 5 * 1024 });
  });
  test("that is gone has no figures", () => {
    const none = [cgroup.cpu("/x"), cgroup.memory("/x"), cgroup.spec("/x"), cgroup.tasks("/x")];
    expect(none).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("a process", () => {
  const proc = written("proc", {
    "1/cgroup": "9:name=systemd:/\n4:memory:/skerry/pod1/c1\n0::/\n",
    "2/cgroup": "0::/skerry/pod1/c1\n",
    "1/mountinfo":
      "1 0 0:9 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/snapshots/7/fs,workdir=/w\n2 1 0:3 / /proc rw - proc proc rw\n",
    "1/net/dev":
      "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0:100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n veth1: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n",
  });
  test("is in one cgroup, whichever versions there are", () => {
    expect([1, 2, 3].map((pid) => cgroupOf(pid, proc))).toEqual(["/skerry/pod1/c1", "/skerry/pod1/c1", undefined]);
  });
  test("writes what is its own to one folder", () => {
    expect([1, 2].map((pid) => writableLayerOf(pid, proc))).toEqual(["/snapshots/7/fs", undefined]);
  });
  test("sees interfaces, of which those count that lead elsewhere", () => {
    expect(interfacesOf(1, proc)).toEqual([
      {
        name: "eth0",
        receive: { bytes: 100, packets: 2, errors: 3, dropped: 4 },
        transmit: { bytes: 500, packets: 6, errors: 7, dropped: 8 },
      },
    ]);
    expect(interfacesOf(3, proc)).toEqual([]);
  });
});

test("a folder is walked through once a minute", async () => {
  const folder = written("disk", { a: "x".repeat(5000), "b/c": "y" });
  let now = 0;
  const usages = new DiskUsages(() => now);
  const before = await usages.of(folder);
  expect(before.inodes).toBe(4);
  expect(before.bytes).toBeGreaterThanOrEqual(5000);
  written("disk", { d: "z" });
  now = 59_999;
  expect(await usages.of(folder)).toEqual(before);
  now = 60_000;
  expect((await usages.of(folder)).inodes).toBe(5);
  expect(await usages.of(join(root, "none"))).toEqual({ bytes: 0, inodes: 0 });
});
