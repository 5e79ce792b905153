/**
 * What `/stats/summary` answers.
 * https://kubernetes.io/docs/reference/instrumentation/node-metrics/#summary-api-source
 */
import { timestamp } from "../../worker/lib/effects.ts";
import { nodeCgroup } from "../pods/cgroups.ts";
import { type Cgroup, type Psi, specOf } from "./cgroup.ts";
import { type DiskUsages, type FileSystem, fileSystemOf, logUsage, writableLayerOf } from "./disk.ts";
import { bootTime, maxPids, processFigures, runningTasks } from "./machine.ts";
import { interfacesOf } from "./network.ts";
import type { ContainerFigures, Figures, NodeFigures, PodFigures } from "./sampler.ts";
import { type VolumeFigures, volumesOf } from "./volumes.ts";

export type SummaryParts = {
  nodeName: string;
  home: string;
  cgroup: Cgroup;
  usages: DiskUsages;
  /** Bytes of all images, as last counted. */
  imageBytes(): number;
  /** The runtime's process. */
  runtimePid(): number | undefined;
};

type Json = Record<string, unknown>;

/** `full` is false for `only_cpu_and_memory=true`. */
export async function summary(parts: SummaryParts, figures: NodeFigures, full: boolean): Promise<Json> {
  const time = timestamp(figures.at);
  const pods = await Promise.all(figures.pods.map((pod) => podStats(parts, pod, time, full)));
  const { home, cgroup } = parts;
  const own = common(cgroup, figures.own, time);
  const network = { network: networkStats("self", time) };
  const node = {
    nodeName: parts.nodeName,
    systemContainers: systemContainers(parts, figures, time),
    startTime: timestamp(bootTime()),
    ...own,
    ...(full && {
      ...io(cgroup, "/", time),
      ...network,
      fs: fsStats(fileSystemOf(home), time),
      runtime: runtimeStats(parts, time),
      rlimit: { time, maxpid: maxPids(), curproc: runningTasks() },
    }),
  };
  return { node, pods };
}

const SECOND_NS = 1_000_000_000;

function common(cgroup: Cgroup, figures: Figures, time: string): Json {
  const { path, cpu, memory, nanoCores = 0 } = figures;
  const spec = specOf(cgroup, path);
  const limit = spec?.memoryLimit ?? 0;
  const swapLimit = spec?.swapLimit;
  return {
    cpu: {
      time,
      usageNanoCores: nanoCores,
      usageCoreNanoSeconds: Math.round(cpu),
      ...psi(cgroup.pressure(path, "cpu")),
    },
    memory: {
      time,
      ...(limit > 0 && { availableBytes: Math.max(0, limit - memory.workingSet) }),
      usageBytes: memory.usage,
      workingSetBytes: memory.workingSet,
      rssBytes: memory.rss,
      pageFaults: memory.pageFaults,
      majorPageFaults: memory.majorPageFaults,
      ...psi(cgroup.pressure(path, "memory")),
    },
    swap: {
      time,
      ...(swapLimit !== undefined && { swapAvailableBytes: Math.max(0, swapLimit - memory.swap) }),
      swapUsageBytes: memory.swap,
    },
  };
}

const psi = (found: Psi | undefined): Json => (found ? { psi: { full: found.full, some: found.some } } : {});

function io(cgroup: Cgroup, path: string, time: string): Json {
  const found = cgroup.pressure(path, "io");
  return found ? { io: { time, ...psi(found) } } : {};
}

async function podStats(parts: SummaryParts, pod: PodFigures, time: string, full: boolean): Promise<Json> {
  const { memory } = pod.on;
  const disks = full ? await podDisks(parts, pod) : undefined;
  const containers = pod.containers.map((container) => ({
    name: container.name,
    startTime: timestamp(container.attempt.startedAt),
    ...common(parts.cgroup, container, time),
    ...(disks && { ...io(parts.cgroup, container.path, time), ...containerDisks(parts, disks, container, time) }),
  }));
  const tasks = (path: string) => parts.cgroup.tasks(path)?.processes ?? 0;
  return {
    podRef: { name: memory.name, namespace: memory.namespace, uid: memory.uid },
    startTime: timestamp(memory.startedAt),
    containers,
    ...common(parts.cgroup, pod.own, time),
    ...(disks && {
      ...io(parts.cgroup, pod.own.path, time),
      network: networkStats(pod.containers[0]?.pid ?? 0, time),
      volume: disks.volumes.map((volume) => volumeStats(volume, memory.namespace, time)),
      "ephemeral-storage": ephemeralStorage(parts, disks, time),
      process_stats: { process_count: pod.containers.reduce((sum, { path }) => sum + tasks(path), 0) },
    }),
  };
}

type Own = { rootfs: { bytes: number; inodes: number }; logs: { bytes: number; inodes: number } };
type PodDisks = { volumes: readonly VolumeFigures[]; own: ReadonlyMap<string, Own> };

const NOTHING = { bytes: 0, inodes: 0 };

async function podDisks({ home, usages }: SummaryParts, { on, containers }: PodFigures): Promise<PodDisks> {
  const own = containers.map(async ({ attempt, pid }): Promise<[string, Own]> => {
    const layer = writableLayerOf(pid);
    const [rootfs, logs] = await Promise.all([
      layer === undefined ? NOTHING : usages.of(layer),
      attempt.logPath ? logUsage(attempt.logPath) : NOTHING,
    ]);
    return [attempt.id, { rootfs, logs }];
  });
  const [volumes, found] = await Promise.all([volumesOf(home, on, usages), Promise.all(own)]);
  return { volumes, own: new Map(found) };
}

function containerDisks({ home }: SummaryParts, disks: PodDisks, { attempt }: ContainerFigures, time: string): Json {
  const { rootfs, logs } = disks.own.get(attempt.id) ?? { rootfs: NOTHING, logs: NOTHING };
  const fs = fileSystemOf(home);
  const used = ({ bytes, inodes }: Own["rootfs"]) => fsStats(fs && { ...fs, used: bytes, inodesUsed: inodes }, time);
  return { rootfs: used(rootfs), logs: used(logs) };
}

function ephemeralStorage({ home }: SummaryParts, { volumes, own }: PodDisks, time: string): Json {
  const fs = fileSystemOf(home);
  const parts = [
    ...[...own.values()].flatMap(({ rootfs, logs }) => [rootfs, logs]),
    ...volumes.flatMap(({ claim, fs: { used, inodesUsed } }) => (claim ? [] : [{ bytes: used, inodes: inodesUsed }])),
  ];
  const sum = (of: "bytes" | "inodes") => parts.reduce((total, part) => total + part[of], 0);
  return fsStats(fs && { ...fs, used: sum("bytes"), inodesUsed: sum("inodes") }, time);
}

function fsStats(fs: FileSystem | undefined, time: string): Json {
  if (!fs) return { time };
  return {
    time,
    availableBytes: fs.available,
    capacityBytes: fs.capacity,
    usedBytes: fs.used,
    inodesFree: fs.inodesFree,
    inodes: fs.inodes,
    inodesUsed: fs.inodesUsed,
  };
}

const volumeStats = ({ name, claim, fs }: VolumeFigures, namespace: string, time: string): Json => ({
  ...fsStats(fs, time),
  name,
  ...(claim && { pvcRef: { name: claim, namespace } }),
});

function runtimeStats({ home, imageBytes }: SummaryParts, time: string): Json {
  const fs = fileSystemOf(home);
  const images = fsStats(fs && { ...fs, used: imageBytes() }, time);
  return { imageFs: images, containerFs: images };
}

/** Of these the kubelet names the default one a second time. */
const DEFAULT_INTERFACE = "eth0";

function networkStats(pid: number | "self", time: string): Json {
  const interfaces = interfacesOf(pid).map(({ name, receive, transmit }) => ({
    name,
    rxBytes: receive.bytes,
    rxErrors: receive.errors,
    txBytes: transmit.bytes,
    txErrors: transmit.errors,
  }));
  const own = interfaces.find(({ name }) => name === DEFAULT_INTERFACE);
  return { time, ...(own ?? { name: "" }), interfaces };
}

/** The agent, the runtime, and all pods together. */
function systemContainers({ home, cgroup, runtimePid }: SummaryParts, figures: NodeFigures, time: string): Json[] {
  const process = (name: string, pid: number | "self" | undefined): Json[] => {
    const found = pid === undefined ? undefined : processFigures(pid);
    if (!found) return [];
    const { cpuSeconds, startedAt, residentBytes, pageFaults, majorPageFaults } = found;
    const memory = { usageBytes: residentBytes, workingSetBytes: residentBytes, rssBytes: residentBytes };
    return [
      {
        name,
        startTime: timestamp(startedAt),
        cpu: { time, usageCoreNanoSeconds: Math.round(cpuSeconds * SECOND_NS) },
        memory: { time, ...memory, pageFaults, majorPageFaults },
      },
    ];
  };
  const above = nodeCgroup(home);
  const cpu = cgroup.cpu(above);
  const memory = cgroup.memory(above);
  const nanoCores = figures.pods.reduce((sum, { own }) => sum + (own.nanoCores ?? 0), 0);
  return [
    ...process("kubelet", "self"),
    ...process("runtime", runtimePid()),
    ...(cpu !== undefined && memory
      ? [
          {
            name: "pods",
            startTime: timestamp(bootTime()),
            ...common(cgroup, { path: above, cpu, memory, nanoCores }, time),
          },
        ]
      : []),
  ];
}
