import { statfsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";

/** Kubernetes' own default. */
const MOST_PODS = 110;
/** The share of the disk that the system keeps to itself. */
const DISK_RESERVE = 0.1;

export type Capacity = { cpu: string; memory: string; "ephemeral-storage": string; pods: string };

/** What the machine has. `folder` lies on the disk that containers use. */
export function capacity(folder: string): Capacity {
  const disk = statfsSync(folder);
  return {
    cpu: `${availableParallelism()}`,
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    "ephemeral-storage": `${Math.floor((disk.blocks * disk.bsize) / 1024)}Ki`,
    pods: `${MOST_PODS}`,
  };
}

/** What pods may have of it. */
export function allocatable(folder: string): Capacity {
  const disk = statfsSync(folder);
  return {
    ...capacity(folder),
    "ephemeral-storage": `${Math.floor(disk.blocks * disk.bsize * (1 - DISK_RESERVE))}`,
  };
}
