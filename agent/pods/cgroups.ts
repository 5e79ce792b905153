import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";
import { signalProcess } from "./processes.ts";

const ROOT = "/sys/fs/cgroup";

/** The cgroup that holds all containers of a pod, as nerdctl's --cgroup-parent takes it. */
export const podCgroup = (uid: string) => `/skerry/pod${uid}`;

export interface Cgroups {
  /** Makes the pod's cgroup with the sum of its containers' memory limits, where each has one. */
  make(uid: string, pod: CoreV1Pod): void;
  /** Kills what runs in the cgroup of a pod, or of one of its containers; true when nothing does. */
  end(uid: string, containerId?: string): boolean;
  /** False while a process in it is still on its way out. */
  remove(uid: string): boolean;
  /** How often the kernel killed a process of this container for want of memory; 0 once its cgroup is gone. */
  oomKills(uid: string, containerId: string): number;
}

const isUnified = () => existsSync(join(ROOT, "cgroup.controllers"));

/** One folder with cgroup v2; one for each controller with v1. */
function folders(uid: string): string[] {
  const path = podCgroup(uid);
  if (isUnified()) return [join(ROOT, path)];
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(ROOT, entry.name, path));
}

function makePodCgroup(uid: string, pod: CoreV1Pod): void {
  const limits = pod.spec.containers.map((c) => c.resources?.limits?.memory);
  if (!limits.every((limit) => limit !== undefined)) return;
  const initLimits = (pod.spec.initContainers ?? []).map((c) => c.resources?.limits?.memory ?? "0");
  const bytes = (list: readonly string[]) => list.map((text) => wholeValue(parseQuantity(text)));
  const most = Math.max(
    bytes(limits).reduce((a, b) => a + b, 0),
    ...bytes(initLimits),
  );
  const path = isUnified() ? join(ROOT, podCgroup(uid)) : join(ROOT, "memory", podCgroup(uid));
  const file = isUnified() ? "memory.max" : "memory.limit_in_bytes";
  try {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, file), `${most + POD_OVERHEAD_BYTES}`);
  } catch {
    // The containers' own limits hold all the same.
  }
}

/** The pause container is in the pod's cgroup as well. */
const POD_OVERHEAD_BYTES = 16 * 1024 * 1024;

function removePodCgroup(uid: string): boolean {
  return folders(uid)
    .map(removeTree)
    .every((gone) => gone);
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

function endProcesses(uid: string, containerId = ""): boolean {
  const pids = processesIn(join(isUnified() ? ROOT : join(ROOT, "memory"), podCgroup(uid), containerId));
  for (const pid of pids) signalProcess(pid, "SIGKILL");
  return pids.length === 0;
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

function oomKills(uid: string, containerId: string): number {
  const [base, file] = isUnified() ? [ROOT, "memory.events"] : [join(ROOT, "memory"), "memory.oom_control"];
  try {
    const text = readFileSync(join(base, podCgroup(uid), containerId, file), "utf8");
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Those of this machine. */
export const cgroups: Cgroups = { make: makePodCgroup, end: endProcesses, remove: removePodCgroup, oomKills };
