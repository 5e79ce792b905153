/** https://docs.kernel.org/admin-guide/cgroup-v1/ */
import { join } from "node:path";
import type { Cgroup, Io } from "./cgroup.ts";
import { number, read, table } from "./figures.ts";

/** The kernel's USER_HZ, in which it tells times to programs. */
const TICK_NS = 10_000_000;
/** The kernel rounds what means "without limit" to pages, so it is not the same everywhere. */
const UNLIMITED = 2 ** 62;
const limit = (value: number) => (value > UNLIMITED ? 0 : value);

/** `root` has a folder for each controller. */
export function cgroupV1(root: string): Cgroup {
  const file = (controller: string, path: string, name: string) => join(root, controller, path, name);
  return {
    version: 1,
    cpu(path) {
      const total = number(file("cpuacct", path, "cpuacct.usage"), -1);
      return total < 0 ? undefined : total;
    },
    cpuTimes(path) {
      const times = table(file("cpuacct", path, "cpuacct.stat"));
      return times && { user: (times.get("user") ?? 0) * TICK_NS, system: (times.get("system") ?? 0) * TICK_NS };
    },
    throttling(path) {
      const stat = table(file("cpu", path, "cpu.stat"));
      const of = (name: string) => stat?.get(name) ?? 0;
      return stat && { periods: of("nr_periods"), throttledPeriods: of("nr_throttled"), ns: of("throttled_time") };
    },
    memory(path) {
      const stat = table(file("memory", path, "memory.stat"));
      const usage = number(file("memory", path, "memory.usage_in_bytes"), -1);
      if (!stat || usage < 0) return undefined;
      const of = (name: string) => stat.get(`total_${name}`) ?? stat.get(name) ?? 0;
      return {
        usage,
        workingSet: Math.max(0, usage - of("inactive_file")),
        rss: of("rss"),
        cache: of("cache"),
        mappedFile: of("mapped_file"),
        swap: of("swap"),
        activeFile: of("active_file"),
        inactiveFile: of("inactive_file"),
        kernel: number(file("memory", path, "memory.kmem.usage_in_bytes")),
        max: number(file("memory", path, "memory.max_usage_in_bytes")),
        failures: number(file("memory", path, "memory.failcnt")),
        pageFaults: of("pgfault"),
        majorPageFaults: of("pgmajfault"),
      };
    },
    spec(path) {
      const memoryLimit = number(file("memory", path, "memory.limit_in_bytes"), -1);
      if (memoryLimit < 0) return undefined;
      return {
        cpuShares: number(file("cpu", path, "cpu.shares")),
        cpuPeriod: number(file("cpu", path, "cpu.cfs_period_us")),
        cpuQuota: Math.max(0, number(file("cpu", path, "cpu.cfs_quota_us"))),
        memoryLimit: limit(memoryLimit),
        swapLimit: limit(number(file("memory", path, "memory.memsw.limit_in_bytes"))) || undefined,
        reservation: limit(number(file("memory", path, "memory.soft_limit_in_bytes"))),
      };
    },
    tasks(path) {
      const processes = read(file("memory", path, "cgroup.procs"));
      if (processes === undefined) return undefined;
      return {
        processes: processes.split("\n").length - 1,
        threads: number(file("pids", path, "pids.current")),
        maxThreads: number(file("pids", path, "pids.max")),
      };
    },
    io(path) {
      const found = new Map<string, Io>();
      const add = (name: string, fields: Readonly<Record<string, keyof Omit<Io, "device">>>) => {
        for (const line of (read(file("blkio", path, name)) ?? "").split("\n")) {
          const [device = "", operation = "", value] = line.split(" ");
          const field = fields[operation];
          if (!field) continue;
          const io = found.get(device) ?? { device, readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 };
          found.set(device, { ...io, [field]: Number(value) });
        }
      };
      add("blkio.throttle.io_service_bytes_recursive", { Read: "readBytes", Write: "writtenBytes" });
      add("blkio.throttle.io_serviced_recursive", { Read: "reads", Write: "writes" });
      return [...found.values()];
    },
    oomKills: (path) => table(file("memory", path, "memory.oom_control"))?.get("oom_kill") ?? 0,
    pressure: () => undefined,
  };
}
