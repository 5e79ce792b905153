/** What pods use of this machine. Read when it is needed: nothing is measured while nobody asks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { logUsage } from "../kubelet/disk.ts";
import type { Cgroups } from "../pods/cgroups.ts";
import type { PodMemory } from "../pods/memory.ts";
import type { Run } from "../process.ts";
import type { StorageUsage } from "./local-storage.ts";
import type { ContainerUsage, PodUsage } from "./ranking.ts";

export type MeasuredPod = { pod: CoreV1Pod; memory: PodMemory };

/** Where parts of a pod lie on disk. */
type Places = {
  /** Writable layers of the newest attempts, by container. */
  layers: Map<string, string>;
  /** By volume; only what the pod itself fills counts against it. */
  volumes: Map<string, string>;
};

const DU_TIMEOUT_MS = 60_000;

export class UsageMeter {
  readonly #home: string;
  readonly #cgroups: Cgroups;
  readonly #run: Run;

  /** `home` is where the agent keeps all its state. */
  constructor(deps: { home: string; cgroups: Cgroups; run: Run }) {
    this.#home = deps.home;
    this.#cgroups = deps.cgroups;
    this.#run = deps.run;
  }

  /** Of pods by uid; with what lies on disk only where that is asked for, since it takes long. */
  async measure(pods: readonly MeasuredPod[], disk: boolean): Promise<Map<string, PodUsage>> {
    const storage = disk ? await this.storage(pods) : new Map<string, Storage>();
    return new Map(pods.map(({ memory }) => [memory.uid, this.#usageOf(memory, storage.get(memory.uid))] as const));
  }

  #usageOf(memory: PodMemory, storage: Storage | undefined): PodUsage {
    const { uid } = memory;
    const own = this.#cgroups.usage(uid);
    const containers = new Map<string, ContainerUsage>();
    for (const [name, { current }] of Object.entries(memory.containers)) {
      if (!current) continue;
      const memoryBytes = this.#cgroups.usage(uid, current.id)?.memoryBytes ?? 0;
      const [diskBytes, inodes] = [storage?.containers.get(name) ?? 0, storage?.inodes.get(name) ?? 0];
      containers.set(name, { memoryBytes, diskBytes, inodes });
    }
    return {
      memoryBytes: own?.memoryBytes ?? 0,
      pids: own?.pids ?? 0,
      diskBytes: storage?.total ?? 0,
      inodes: storage?.totalInodes ?? 0,
      containers,
    };
  }

  /** What lies on disk of pods, by uid. */
  async storage(pods: readonly MeasuredPod[]): Promise<Map<string, Storage>> {
    const uppers = upperFolders();
    const places = new Map(pods.map((measured) => [measured.memory.uid, this.#placesOf(measured, uppers)]));
    const folders = [...places.values()].flatMap(({ layers, volumes }) => [...layers.values(), ...volumes.values()]);
    const [bytes, inodes] = await Promise.all([
      this.#sizes(["--block-size=1"], folders),
      this.#sizes(["--inodes"], folders),
    ]);
    const each = pods.map(async ({ memory }) => {
      const found = places.get(memory.uid) ?? { layers: new Map(), volumes: new Map() };
      return [memory.uid, await storageOf(memory, found, bytes, inodes)] as const;
    });
    return new Map(await Promise.all(each));
  }

  #placesOf({ pod, memory }: MeasuredPod, uppers: ReadonlyMap<string, string>): Places {
    const layers = new Map<string, string>();
    for (const [name, { current }] of Object.entries(memory.containers)) {
      const upper = current && uppers.get(current.id);
      if (upper) layers.set(name, upper);
    }
    const volumes = new Map<string, string>();
    const folder = join(this.#home, "pods", memory.uid, "volumes");
    for (const { name, emptyDir, configMap } of pod.spec.volumes ?? []) {
      if (emptyDir && !emptyDir.medium) volumes.set(name, join(folder, "kubernetes.io~empty-dir", name));
      if (configMap) volumes.set(name, join(folder, "kubernetes.io~configmap", name));
    }
    return { layers, volumes };
  }

  /** By du(1), which stays on one file system and counts what is linked twice once. What has gone is not there. */
  async #sizes(flags: readonly string[], folders: readonly string[]): Promise<Map<string, number>> {
    if (!folders.length) return new Map();
    const args = ["-n", "10", "du", "-s", "-x", ...flags, "--", ...folders];
    const { stdout } = await this.#run("nice", args, { timeoutMs: DU_TIMEOUT_MS });
    return new Map(
      stdout.split("\n").flatMap((line) => {
        const [size, folder] = line.split("\t");
        return folder ? [[folder, Number(size)] as const] : [];
      }),
    );
  }
}

export type Storage = StorageUsage & { inodes: ReadonlyMap<string, number>; totalInodes: number };

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

async function storageOf(
  memory: PodMemory,
  { layers, volumes }: Places,
  bytes: ReadonlyMap<string, number>,
  inodes: ReadonlyMap<string, number>,
): Promise<Storage> {
  const containers = new Map<string, number>();
  const files = new Map<string, number>();
  for (const [name, known] of Object.entries(memory.containers)) {
    const paths = [known.current?.logPath, known.previous?.logPath].flatMap((path) => (path ? [path] : []));
    const logs = await Promise.all(paths.map(logUsage));
    const layer = layers.get(name) ?? "";
    containers.set(name, sum(logs.map((log) => log.bytes)) + (bytes.get(layer) ?? 0));
    files.set(name, sum(logs.map((log) => log.inodes)) + (inodes.get(layer) ?? 0));
  }
  const sizes = new Map([...volumes].map(([name, folder]) => [name, bytes.get(folder) ?? 0]));
  const inVolumes = sum([...volumes.values()].map((folder) => inodes.get(folder) ?? 0));
  return {
    containers,
    volumes: sizes,
    inodes: files,
    total: sum(containers.values()) + sum(sizes.values()),
    totalInodes: sum(files.values()) + inVolumes,
  };
}

/**
 * Where containers write what goes into their own layers, by container ID: the runtime mounts each one's root at a place
 * that ends with its ID. See proc_pid_mountinfo(5).
 */
export function upperFolders(mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of mountinfo.split("\n")) {
    const id = /\/([0-9a-f]{64})\/rootfs$/.exec(line.split(" ")[4] ?? "")?.[1];
    const upper = /[ ,]upperdir=([^,\s]+)/.exec(line)?.[1];
    if (id && upper) found.set(id, upper);
  }
  return found;
}
