/** What the kernel counts of cgroups, in the units of cAdvisor and the kubelet, whichever version the machine has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupVersion } from "../pods/cgroups.ts";
import { cgroupV1 } from "./cgroup-v1.ts";
import { cgroupV2 } from "./cgroup-v2.ts";
import { table } from "./figures.ts";

/** Nanoseconds of processor time, as the kernel samples it; their sum is not quite the total. */
export type CpuTimes = { user: number; system: number };
/** `ns` is how long the processes were held back. */
export type Throttling = { periods: number; throttledPeriods: number; ns: number };
/** Bytes; the last are counts. */
export type Memory = {
  usage: number;
  workingSet: number;
  rss: number;
  cache: number;
  mappedFile: number;
  swap: number;
  activeFile: number;
  inactiveFile: number;
  kernel: number;
  max: number;
  failures: number;
  pageFaults: number;
  majorPageFaults: number;
};
/** What it may have: 0 stands for no limit, but for swap, where none is said by nothing. Microseconds and bytes. */
export type Spec = {
  cpuShares: number;
  cpuPeriod: number;
  cpuQuota: number;
  memoryLimit: number;
  swapLimit?: number;
  reservation: number;
};
export type Tasks = { processes: number; threads: number; maxThreads: number };
/** What one disk (`8:0`) was asked for. */
export type Io = { device: string; readBytes: number; writtenBytes: number; reads: number; writes: number };
export type PsiLine = { total: number; avg10: number; avg60: number; avg300: number };
/** Stalls, `total` in microseconds: https://docs.kernel.org/accounting/psi.html */
export type Psi = { some: PsiLine; full: PsiLine };

/** Paths are those of cgroups, `/` for all of the machine. Undefined once the cgroup is gone. */
export interface Cgroup {
  readonly version: 1 | 2;
  /** Nanoseconds of processor time in all. */
  cpu(path: string): number | undefined;
  cpuTimes(path: string): CpuTimes | undefined;
  throttling(path: string): Throttling | undefined;
  memory(path: string): Memory | undefined;
  spec(path: string): Spec | undefined;
  tasks(path: string): Tasks | undefined;
  io(path: string): readonly Io[];
  oomKills(path: string): number;
  /** Undefined where the kernel does not tell. */
  pressure(path: string, of: "cpu" | "memory" | "io"): Psi | undefined;
}

/** As `spec`; all of the machine has what there is. */
export function specOf(cgroup: Cgroup, path: string): Spec | undefined {
  const spec = cgroup.spec(path);
  if (path !== "/") return spec;
  const machine = table("/proc/meminfo");
  return {
    ...{ cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, reservation: 0 },
    ...spec,
    memoryLimit: machine?.get("MemTotal") ?? 0,
    swapLimit: machine?.get("SwapTotal") ?? 0,
  };
}

const ROOT = "/sys/fs/cgroup";

/** This machine's. */
export const machineCgroup = (): Cgroup => (cgroupVersion(ROOT) === 2 ? cgroupV2(ROOT, "/proc") : cgroupV1(ROOT));

/** The cgroup that a process is in; undefined when it has ended. */
export function cgroupOf(pid: number, proc = "/proc"): string | undefined {
  try {
    const lines = readFileSync(join(proc, `${pid}`, "cgroup"), "utf8").split("\n");
    const line = lines.find((text) => text.split(":")[1] === "memory") ?? lines.find((text) => text.startsWith("0::"));
    return line?.split(":").slice(2).join(":");
  } catch {
    return undefined;
  }
}
