/** What the machine itself tells of its whole and of single processes. */
import { release } from "node:os";
import { number, read, table } from "./figures.ts";

const SECOND_MS = 1000;
/** The kernel's USER_HZ, in which it tells times to programs. */
const TICKS_A_SECOND = 100;

/** When the machine was started, ms since the epoch. */
export const bootTime = (): number => (table("/proc/stat")?.get("btime") ?? 0) * SECOND_MS;

export const maxPids = (): number => number("/proc/sys/kernel/pid_max");
/** Tasks of the whole machine. */
export const runningTasks = (): number => Number(/\/(\d+) /.exec(read("/proc/loadavg") ?? "")?.[1] ?? 0);

export type Process = {
  cpuSeconds: number;
  /** ms since the epoch. */
  startedAt: number;
  residentBytes: number;
  virtualBytes: number;
  /** Times that it had to wait for a page, and for one from a disk. */
  pageFaults: number;
  majorPageFaults: number;
};

/** By proc_pid_stat(5); undefined when it has ended. */
export function processFigures(pid: number | "self"): Process | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the program's name, which may have anything in it but ends with the last ")".
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (n: number) => Number(fields[n - 3]);
  const status = table(`/proc/${pid}/status`);
  return {
    cpuSeconds: (field(14) + field(15)) / TICKS_A_SECOND,
    startedAt: bootTime() + (field(22) / TICKS_A_SECOND) * SECOND_MS,
    residentBytes: status?.get("VmRSS") ?? 0,
    virtualBytes: field(23),
    pageFaults: field(10) + field(12),
    majorPageFaults: field(12),
  };
}

export type MachineFacts = {
  cores: number;
  physicalCores: number;
  sockets: number;
  memoryBytes: number;
  swapBytes: number;
  machineId: string;
  systemUuid: string;
  bootId: string;
  kernelVersion: string;
  osVersion: string;
};

export function machineFacts(): MachineFacts {
  const processors = (read("/proc/cpuinfo") ?? "").split("\n\n").filter((block) => block.includes("processor"));
  const value = (block: string, name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(block)?.[1] ?? "0";
  const sockets = new Set(processors.map((block) => value(block, "physical id")));
  const cores = new Set(processors.map((block) => `${value(block, "physical id")} ${value(block, "core id")}`));
  const memory = table("/proc/meminfo");
  const word = (path: string) => (read(path) ?? "").trim();
  const machineId = word("/etc/machine-id") || word("/var/lib/dbus/machine-id");
  return {
    cores: processors.length,
    physicalCores: cores.size,
    sockets: sockets.size,
    memoryBytes: memory?.get("MemTotal") ?? 0,
    swapBytes: memory?.get("SwapTotal") ?? 0,
    machineId,
    systemUuid: word("/sys/class/dmi/id/product_uuid") || machineId,
    bootId: word("/proc/sys/kernel/random/boot_id"),
    kernelVersion: release(),
    osVersion: /^PRETTY_NAME="?([^"\n]*)/m.exec(read("/etc/os-release") ?? "")?.[1] ?? "Linux",
  };
}
