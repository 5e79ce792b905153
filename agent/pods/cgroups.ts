import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { podRequests } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { milliValue, ZERO } from "../../worker/lib/quantity.ts";
import { type CgroupFile, type CgroupLimits, type CgroupVersion, cgroupFiles, cpuShares } from "./cgroup-files.ts";
import { signalProcess } from "./processes.ts";
import { podCgroupLimits, qosOf, type RuntimeLimits } from "./resources.ts";

const ROOT = "/sys/fs/cgroup";
/** Pods of older agents lie right under this. */
const OURS = "/skerry";
/** Those that limits are written to. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "pids", "hugetlb"];

export interface Cgroups {
  /** Where the pod's containers are to be, as nerdctl's --cgroup-parent takes it. */
  parentOf(uid: string, pod: CoreV1Pod): string;
  /** Makes the pod's cgroup, or brings its limits up to date. What the kernel refuses is left as it is. */
  make(uid: string, pod: CoreV1Pod): void;
  /** Shares the processors out among the classes of service; `pods` are those that are not over. */
  balance(pods: Iterable<CoreV1Pod>): void;
  /** Kills what runs in the cgroup of a pod, or of one of its containers; true when nothing does. */
  end(uid: string, containerId?: string): boolean;
  /** False while a process in it is still on its way out. */
  remove(uid: string): boolean;
  /** Of all pods that have a cgroup. */
  uids(): string[];
  /** How often the kernel killed a process of this container for want of memory; 0 once its cgroup is gone. */
  oomKills(uid: string, containerId: string): number;
  /** What the pod, or one of its containers, uses now; undefined once its cgroup is gone. */
  usage(uid: string, containerId?: string): CgroupUsage | undefined;
}

export type CgroupUsage = {
  /** What cannot be had back without ending something. */
  memoryBytes: number;
  pids: number;
};

export type CgroupOptions = {
  /** Tells this node's cgroups from those of others on the same machine. */
  home: string;
  /** Of a pod; unlimited when absent. */
  podPids?: number;
  /** Where cgroups are mounted; for tests. */
  root?: string;
};

/** Which cgroups a machine has. With version 1 each controller has a folder of its own. */
export const cgroupVersion = (root = ROOT): CgroupVersion => (existsSync(join(root, "cgroup.controllers")) ? 2 : 1);

/** All pods of a node lie under this. The name at its end is the one that tools for Kubernetes look for. */
export const nodeCgroup = (home: string): string =>
  join(OURS, createHash("sha256").update(home).digest("hex").slice(0, 8), "kubepods");

/**
 * Those of this machine: guaranteed pods right under the node's cgroup, the others in that of their class.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
export function machineCgroups({ home, podPids, root = ROOT }: CgroupOptions): Cgroups {
  const version = cgroupVersion(root);
  const node = nodeCgroup(home);
  const classes = { Guaranteed: node, Burstable: join(node, "burstable"), BestEffort: join(node, "besteffort") };
  const tree = new CgroupTree(root, version);
  let balanced = 0;

  const parentOf = (uid: string, pod: CoreV1Pod) => join(classes[qosOf(pod)], `pod${uid}`);
  /** Where a pod may be whose class is not known any more. */
  const places = (uid: string) => [...Object.values(classes), OURS].map((parent) => join(parent, `pod${uid}`));
  const find = (uid: string) => places(uid).find((path) => tree.has(path));

  return {
    parentOf,
    make(uid, pod) {
      const limits = podCgroupLimits(pod);
      tree.make(parentOf(uid, pod), podPids === undefined ? limits : { ...limits, pids: podPids });
    },
    balance(pods) {
      let milli = 0;
      for (const pod of pods) if (qosOf(pod) === "Burstable") milli += cpuRequest(pod);
      const shares = cpuShares(milli);
      if (shares === balanced) return;
      tree.make(classes.Burstable, { cpuShares: shares });
      tree.make(classes.BestEffort, { cpuShares: cpuShares(0) });
      balanced = shares;
    },
    end(uid, containerId = "") {
      const path = find(uid);
      const pids = path ? tree.processes(join(path, containerId)) : [];
      for (const pid of pids) signalProcess(pid, "SIGKILL");
      return pids.length === 0;
    },
    remove: (uid) =>
      places(uid)
        .map((path) => tree.remove(path))
        .every((gone) => gone),
    uids: () => Object.values(classes).flatMap((path) => tree.inside(path, "pod")),
    oomKills(uid, containerId) {
      const path = find(uid);
      if (!path) return 0;
      const file = version === 1 ? "memory.oom_control" : "memory.events";
      const text = tree.read("memory", join(path, containerId), file) ?? "";
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
    },
    usage(uid, containerId = "") {
      const path = find(uid);
      return path === undefined ? undefined : tree.usage(join(path, containerId));
    },
  };
}

/** Once all that ran on the node has ended. */
export const removeNode = (home: string): boolean => new CgroupTree().remove(dirname(nodeCgroup(home)));

/** What the runtime can be told of containers on this machine. */
export function runtimeLimits(root = ROOT): RuntimeLimits {
  const version = cgroupVersion(root);
  if (version === 1)
    return { version, swap: existsSync(join(root, "memory/memory.memsw.limit_in_bytes")), pageSizes: [] };
  const controllers = words(join(root, "cgroup.controllers"));
  // The outermost cgroup has no such file.
  const own = /^0::(.*)$/m.exec(readFile("/proc/self/cgroup") ?? "")?.[1] ?? "/";
  const swap = existsSync(join(root, own, "memory.swap.max"));
  return { version, swap, pageSizes: controllers.includes("hugetlb") ? hugepageSizes() : [] };
}

/**
 * Bounds all pods of a node together, and gives them their share of the processors against the rest of the machine: what
 * lies above theirs has the same, or that would count among pods alone.
 * https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/
 */
export function enforceNode(home: string, limits: CgroupLimits, root = ROOT): void {
  const tree = new CgroupTree(root);
  const node = nodeCgroup(home);
  for (const above of [OURS, dirname(node)]) tree.make(above, { cpuShares: limits.cpuShares });
  tree.make(node, limits);
}

const requests = new WeakMap<CoreV1Pod, number>();

/** In thousandths of a core; asked of every pod at every change of any. */
function cpuRequest(pod: CoreV1Pod): number {
  const known = requests.get(pod) ?? milliValue(podRequests(pod).cpu ?? ZERO);
  requests.set(pod, known);
  return known;
}

/** Files and folders of cgroups, whatever their version. */
export class CgroupTree {
  readonly #root: string;
  readonly #version: CgroupVersion;
  readonly #pageSizes: readonly number[];

  constructor(root = ROOT, version = cgroupVersion(root), pageSizes = hugepageSizes()) {
    this.#root = root;
    this.#version = version;
    this.#pageSizes = pageSizes;
  }

  #folder(controller: string, path: string): string {
    return this.#version === 2 ? join(this.#root, path) : join(this.#root, controller, path);
  }

  /** One folder with version 2; one for each controller with version 1. */
  #folders(path: string): string[] {
    if (this.#version === 2) return [join(this.#root, path)];
    return readdirSync(this.#root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(this.#root, entry.name, path));
  }

  has(path: string): boolean {
    return existsSync(this.#folder("memory", path));
  }

  read(controller: string, path: string, file: string): string | undefined {
    return readFile(join(this.#folder(controller, path), file));
  }

  /** Makes a cgroup with these limits or gives them to one that is there. */
  make(path: string, limits: CgroupLimits): void {
    for (const file of cgroupFiles(this.#version, limits, this.#pageSizes)) this.#write(path, file);
  }

  #write(path: string, { controller, file, value }: CgroupFile): void {
    if (this.#version === 1 && !existsSync(join(this.#root, controller))) return;
    const folder = this.#folder(controller, path);
    try {
      if (!existsSync(folder)) this.#makeFolder(folder);
      if (readFile(join(folder, file))?.trim() !== value) writeFileSync(join(folder, file), value);
    } catch {
      // The kernel lacks it, or what runs has more than it is to get: containers' own limits hold all the same.
    }
  }

  #makeFolder(folder: string): void {
    mkdirSync(folder, { recursive: true });
    if (this.#version === 1) return;
    // A controller works in a cgroup when each one above passes it on, from the outermost.
    const above: string[] = [];
    for (let at = dirname(folder); at.startsWith(this.#root); at = dirname(at)) above.unshift(at);
    for (const place of above) {
      const there = words(join(place, "cgroup.controllers"));
      const passed = words(join(place, "cgroup.subtree_control"));
      for (const name of CONTROLLERS) if (there.includes(name) && !passed.includes(name)) this.#passOn(place, name);
    }
  }

  /** One at a time: that the kernel refuses one, as it does while real-time tasks run, is no reason to lack the others. */
  #passOn(place: string, controller: string): void {
    try {
      appendFileSync(join(place, "cgroup.subtree_control"), `+${controller} `);
    } catch {
      // What needs it fails to be written, and says so nowhere: containers' own limits hold all the same.
    }
  }

  /** What follows `prefix` in the names of cgroups in another. */
  inside(path: string, prefix: string): string[] {
    const names = this.#folders(path).flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
    return [...new Set(names)].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
  }

  processes(path: string): number[] {
    return processesIn(this.#folder("memory", path));
  }

  remove(path: string): boolean {
    return this.#folders(path)
      .map(removeTree)
      .every((gone) => gone);
  }

  /** https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-signals */
  usage(path: string): CgroupUsage | undefined {
    const [current, inactive] =
      this.#version === 1 ? ["memory.usage_in_bytes", "total_inactive_file"] : ["memory.current", "inactive_file"];
    const stat = this.read("memory", path, "memory.stat");
    if (stat === undefined) return undefined;
    const of = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
    // The outermost cgroup of version 2 does not count what is used.
    const used = Number(this.read("memory", path, current) ?? of("anon") + of("file"));
    const pids = Number(this.read("pids", path, "pids.current") ?? 0);
    return { memoryBytes: Math.max(used - of(inactive), 0), pids };
  }
}

/** Sizes of huge pages that this machine knows, in bytes. */
export function hugepageSizes(folder = "/sys/kernel/mm/hugepages"): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const kib = /^hugepages-(\d+)kB$/.exec(name)?.[1];
    return kib ? [Number(kib) * 1024] : [];
  });
}

const words = (path: string): string[] => (readFile(path) ?? "").trim().split(" ");

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Files of cgroups cannot be removed, only folders, from the innermost. */
function removeTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function processesIn(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...inner.flatMap(({ name }) => processesIn(join(folder, name)))];
  } catch {
    return []; // it is gone
  }
}
