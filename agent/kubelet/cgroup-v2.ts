/** https://docs.kernel.org/admin-guide/cgroup-v2.html */
import { join } from "node:path";
import type { Cgroup, Io, Memory, Psi, PsiLine } from "./cgroup.ts";
import { number, read, table } from "./figures.ts";

const US_NS = 1000;

/** What version 1 would call the weight: the inverse of how the runtime translates shares. */
const sharesOf = (weight: number) => (weight === 0 ? 0 : 2 + Math.floor(((weight - 1) * 262_142) / 9999));

export function cgroupV2(root: string, proc: string): Cgroup {
  const file = (path: string, name: string) => join(root, path, name);
  const cpuStat = (path: string) => table(file(path, "cpu.stat"));
  return {
    version: 2,
    cpu(path) {
      const total = cpuStat(path)?.get("usage_usec");
      return total === undefined ? undefined : total * US_NS;
    },
    cpuTimes(path) {
      const stat = cpuStat(path);
      const of = (name: string) => (stat?.get(name) ?? 0) * US_NS;
      return stat && { user: of("user_usec"), system: of("system_usec") };
    },
    throttling(path) {
      const stat = cpuStat(path);
      const of = (name: string) => stat?.get(name) ?? 0;
      return (
        stat && { periods: of("nr_periods"), throttledPeriods: of("nr_throttled"), ns: of("throttled_usec") * US_NS }
      );
    },
    memory(path) {
      const stat = table(file(path, "memory.stat"));
      if (!stat) return undefined;
      return path === "/" ? machineMemory(stat, proc) : memoryOf(stat, (name) => file(path, name));
    },
    spec(path) {
      const max = read(file(path, "memory.max"));
      if (max === undefined) return undefined;
      const [quota, period] = (read(file(path, "cpu.max")) ?? "max 100000").trim().split(" ");
      const swapLimit = (read(file(path, "memory.swap.max")) ?? "0").trim();
      return {
        cpuShares: sharesOf(number(file(path, "cpu.weight"))),
        cpuPeriod: Number(period),
        cpuQuota: quota === "max" ? 0 : Number(quota),
        memoryLimit: number(file(path, "memory.max")),
        swapLimit: swapLimit === "max" ? undefined : Number(swapLimit),
        reservation: number(file(path, "memory.min")),
      };
    },
    tasks(path) {
      const threads = number(file(path, "pids.current"), -1);
      if (threads < 0) return undefined;
      const processes = (read(file(path, "cgroup.procs")) ?? "").split("\n").length - 1;
      return { processes, threads, maxThreads: number(file(path, "pids.max")) };
    },
    io(path) {
      return (read(file(path, "io.stat")) ?? "").split("\n").flatMap((line): Io[] => {
        const [device = "", ...pairs] = line.split(" ");
        const of = new Map(pairs.map((pair) => pair.split("=") as [string, string]));
        const value = (name: string) => Number(of.get(name) ?? 0);
        if (!of.has("rbytes")) return [];
        return [
          {
            device,
            readBytes: value("rbytes"),
            writtenBytes: value("wbytes"),
            reads: value("rios"),
            writes: value("wios"),
          },
        ];
      });
    },
    oomKills: (path) => table(file(path, "memory.events"))?.get("oom_kill") ?? 0,
    pressure(path, of) {
      const text = path === "/" ? read(join(proc, "pressure", of)) : read(file(path, `${of}.pressure`));
      return text === undefined ? undefined : psi(text);
    },
  };
}

type Stat = ReadonlyMap<string, number>;

function fromStat(stat: Stat, usage: number): Omit<Memory, "swap" | "max" | "failures"> {
  const of = (name: string) => stat.get(name) ?? 0;
  return {
    usage,
    workingSet: Math.max(0, usage - of("inactive_file")),
    rss: of("anon"),
    cache: of("file"),
    mappedFile: of("file_mapped"),
    activeFile: of("active_file"),
    inactiveFile: of("inactive_file"),
    kernel: of("kernel"),
    pageFaults: of("pgfault"),
    majorPageFaults: of("pgmajfault"),
  };
}

const memoryOf = (stat: Stat, file: (name: string) => string): Memory => ({
  ...fromStat(stat, number(file("memory.current"))),
  swap: number(file("memory.swap.current")),
  max: number(file("memory.peak")),
  failures: table(file("memory.events"))?.get("max") ?? 0,
});

/** The outermost cgroup counts no usage of its own: it is what version 1 would count, without the kernel's own memory. */
function machineMemory(stat: Stat, proc: string): Memory {
  const info = table(join(proc, "meminfo"));
  const of = (name: string) => info?.get(name) ?? 0;
  const swap = of("SwapTotal") - of("SwapFree");
  const usage = (stat.get("anon") ?? 0) + (stat.get("file") ?? 0);
  return { ...fromStat(stat, usage), swap, max: 0, failures: 0 };
}

function psi(text: string): Psi {
  const line = (name: string): PsiLine => {
    const [, rest = ""] = new RegExp(`^${name} (.*)$`, "m").exec(text) ?? [];
    const of = new Map(rest.split(" ").map((pair) => pair.split("=") as [string, string]));
    const value = (field: string) => Number(of.get(field) ?? 0);
    return { total: value("total"), avg10: value("avg10"), avg60: value("avg60"), avg300: value("avg300") };
  };
  return { some: line("some"), full: line("full") };
}
