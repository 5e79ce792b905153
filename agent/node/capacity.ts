import { existsSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import {
  formatResources,
  type Quantity,
  type Resources,
  wholeQuantity,
  wholeValue,
  ZERO,
} from "../../worker/lib/quantity.ts";
import { type CgroupLimits, cpuShares } from "../pods/cgroup-files.ts";
import { hugepageSizes } from "../pods/cgroups.ts";
import { maxPids } from "./observe.ts";
import type { NodeSettings } from "./settings.ts";
import { amountOf, type Signal } from "./thresholds.ts";

/** `cpu`, `memory`, `ephemeral-storage` and `pods` are always there. */
export type Capacity = Record<string, string> & { cpu: string; memory: string; "ephemeral-storage": string };

type Reserving = Pick<NodeSettings, "maxPods" | "reserved" | "thresholds">;

/** Thresholds whose amounts are kept from pods, so that they are not met by what pods may ask for. */
const KEPT: Partial<Record<Signal, string>> = { "memory.available": "memory", "nodefs.available": "ephemeral-storage" };

const HUGEPAGES = "/sys/kernel/mm/hugepages";
const bytes = (value: number): Quantity => ({ ...wholeQuantity(value), format: "BinarySI" });

function machineResources(folder: string): Resources {
  const disk = statfsSync(folder);
  return {
    cpu: wholeQuantity(availableParallelism()),
    memory: bytes(totalmem()),
    "ephemeral-storage": bytes(disk.blocks * disk.bsize),
    ...Object.fromEntries(hugepageSizes().map((size) => [hugepageName(size), bytes(size * hugepageCount(size))])),
  };
}

const hugepageName = (size: number) =>
  size >= 1024 ** 3
    ? `hugepages-${size / 1024 ** 3}Gi`
    : size >= 1024 ** 2
      ? `hugepages-${size / 1024 ** 2}Mi`
      : `hugepages-${size / 1024}Ki`;

function hugepageCount(size: number): number {
  const file = `${HUGEPAGES}/hugepages-${size / 1024}kB/nr_hugepages`;
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
}

/** What the machine has. `folder` lies on the disk that containers use. */
export const capacity = (folder: string, { maxPods }: Reserving): Capacity =>
  ({ ...formatResources(machineResources(folder)), pods: `${maxPods}` }) as unknown as Capacity;

/** What pods may ask for. https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/#node-allocatable */
export function allocatable(folder: string, { maxPods, reserved, thresholds }: Reserving): Capacity {
  const machine = machineResources(folder);
  const left: Resources = {};
  for (const [name, amount] of Object.entries(machine)) left[name] = less(amount, reserved[name] ?? ZERO);
  for (const { signal, value, graceMs } of thresholds) {
    const name = graceMs === 0 ? KEPT[signal] : undefined;
    if (!name) continue;
    const kept = wholeQuantity(amountOf(value, wholeValue(machine[name] ?? ZERO)));
    left[name] = less(left[name] ?? ZERO, kept);
  }
  // Huge pages are not there for anything else, whoever uses them.
  for (const [name, amount] of Object.entries(machine))
    if (name.startsWith("hugepages-")) left.memory = less(left.memory ?? ZERO, amount);
  return { ...formatResources(left), pods: `${maxPods}` } as unknown as Capacity;
}

function less(amount: Quantity, by: Quantity): Quantity {
  const nano = amount.nano - by.nano;
  return { nano: nano > 0n ? nano : 0n, format: amount.format };
}

/** What all pods together may have: thresholds come before that is reached, so they are not taken off. */
export function podsLimits({ reserved, enforcesAllocatable }: NodeSettings): CgroupLimits & { memoryBytes: number } {
  const keep = enforcesAllocatable ? reserved : {};
  const of = (name: string) => keep[name] ?? ZERO;
  const cores = less(wholeQuantity(availableParallelism()), of("cpu"));
  return {
    cpuShares: cpuShares(Number(cores.nano / 1_000_000n)),
    memoryBytes: wholeValue(less(bytes(totalmem()), of("memory"))),
    pids: wholeValue(less(wholeQuantity(maxPids()), of("pid"))),
  };
}
