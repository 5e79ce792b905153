/** What there is and what is left of this machine's resources. A few small files are read each time. */
import { readFileSync, statfsSync } from "node:fs";
import { type CgroupTree, nodeCgroup } from "../pods/cgroups.ts";
import type { Observation, Observations } from "./thresholds.ts";

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const meminfo = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(read("/proc/meminfo"))?.[1] ?? 0) * 1024;

/** Swap as a whole, in bytes; 0 for none. */
export const swapBytes = (): number => meminfo("SwapTotal");

/** Processes that the kernel allows at most; threads count as well. */
export const maxPids = (): number =>
  Math.min(...["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].map((path) => Number(read(path)) || 32_768));

/** Of the disk that a folder lies on: its bytes and its inodes. */
export function diskOf(folder: string): { bytes: Observation; inodes: Observation } {
  const { blocks, bavail, bsize, files, ffree } = statfsSync(folder);
  return {
    bytes: { available: bavail * bsize, capacity: blocks * bsize },
    inodes: { available: ffree, capacity: files },
  };
}

/** What is not cached only: the kernel gives that back before anything has to go. */
function memory(tree: CgroupTree): Observation {
  const capacity = meminfo("MemTotal");
  const used = tree.usage("/")?.memoryBytes ?? 0;
  return { available: capacity - used, capacity };
}

export type ObserveOptions = {
  tree: CgroupTree;
  /** Lies on the disk of volumes, images and writable layers: the node has one for all. */
  home: string;
  /** What all pods together may have, in bytes. */
  podsMemory: number;
};

export function observe({ tree, home, podsMemory }: ObserveOptions): Observations {
  const disk = diskOf(home);
  const used = tree.usage(nodeCgroup(home))?.memoryBytes ?? 0;
  const running = Number(/\/(\d+) /.exec(read("/proc/loadavg"))?.[1] ?? 0);
  const pids = maxPids();
  return {
    "memory.available": memory(tree),
    "allocatableMemory.available": { available: podsMemory - used, capacity: podsMemory },
    "nodefs.available": disk.bytes,
    "nodefs.inodesFree": disk.inodes,
    "imagefs.available": disk.bytes,
    "imagefs.inodesFree": disk.inodes,
    "pid.available": { available: pids - running, capacity: pids },
  };
}
