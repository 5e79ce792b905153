/** `/metrics`: the agent under the names of a kubelet's metrics, as far as it has what they tell of. */
import { readdirSync } from "node:fs";
import { arch } from "node:os";
import type { Cgroup } from "./cgroup.ts";
import { Exposition, type Labels } from "./exposition.ts";
import { read } from "./figures.ts";
import { processFigures } from "./machine.ts";
import type { KubeletNode, PodOnNode } from "./node.ts";
import type { Observations } from "./observations.ts";
import type { VolumeFigures } from "./volumes.ts";

export type KubeletMetricsParts = {
  node: Pick<KubeletNode, "name" | "pods" | "present">;
  cgroup: Cgroup;
  observations: Observations;
  version: string;
  /** When the serving certificate ends, ms since the epoch. */
  certificateEnds(): number | undefined;
  now(): number;
};

type Volumes = readonly { namespace: string; volume: VolumeFigures }[];

const SECOND_MS = 1000;

export function kubeletMetrics(parts: KubeletMetricsParts, volumes: Volumes): string {
  const { node, cgroup, observations, certificateEnds, now } = parts;
  const to = new Exposition();
  const gauge = (name: string, help: string, value: number, labels: Labels = {}) =>
    to.add(name, "gauge", help, value, labels);
  gauge("kubelet_node_name", "The node's name. The count is always 1.", 1, { node: node.name });
  gauge("kubelet_cgroup_version", "cgroup version on the hosts.", cgroup.version);
  podGauges(gauge, node);
  volumeGauges(gauge, volumes);
  const ends = certificateEnds();
  const ttl = "Shortest time in seconds until the serving certificate ends; negative where it has.";
  if (ends !== undefined) gauge("kubelet_certificate_manager_server_ttl_seconds", ttl, (ends - now()) / SECOND_MS);
  observations.tell(to);
  processMetrics(to);
  buildInfo(to, parts.version);
  return to.text();
}

type Gauge = (name: string, help: string, value: number, labels?: Labels) => void;

const states = (pods: readonly PodOnNode[]) =>
  pods.flatMap(({ memory }) =>
    Object.values(memory.containers).flatMap(({ current, previous }) =>
      [current, previous].flatMap((attempt) => (attempt ? (attempt.exit ? "exited" : "running") : [])),
    ),
  );

function podGauges(gauge: Gauge, { pods, present }: KubeletMetricsParts["node"]): void {
  const wanted = pods();
  const here = present();
  const isStatic = { static: "" };
  const running = here.filter(({ memory }) => memory.sandbox?.running);
  gauge("kubelet_running_pods", "Number of pods that have a running pod sandbox", running.length);
  const counted = Object.entries(Object.groupBy(states(here), (state) => state));
  const containers = new Map([
    ["running", 0],
    ...counted.map(([state, list = []]): [string, number] => [state, list.length]),
  ]);
  for (const [container_state, count] of containers)
    gauge("kubelet_running_containers", "Number of containers currently running", count, { container_state });
  gauge("kubelet_desired_pods", "The number of pods the kubelet is being instructed to run.", wanted.length, isStatic);
  const active = here.filter(({ memory, deleted }) => !deleted && !memory.ended && !memory.cleaned);
  gauge("kubelet_active_pods", "The number of pods that count when new ones are admitted.", active.length, isStatic);
  gauge("kubelet_mirror_pods", "The number of mirror pods the kubelet will try to create", 0);
  const known = new Set(wanted.map(({ metadata }) => metadata.uid));
  const working: Partial<Record<string, PodOnNode[]>> = Object.groupBy(here, ({ memory, deleted }) => {
    const lifecycle = memory.cleaned ? "terminated" : deleted || memory.ended ? "terminating" : "sync";
    return `${lifecycle} ${known.has(memory.uid) ? "desired" : "orphan"}`;
  });
  for (const lifecycle of ["sync", "terminating", "terminated"])
    for (const config of ["desired", "orphan"]) {
      const count = working[`${lifecycle} ${config}`]?.length ?? 0;
      const help = "Number of pods that are worked on, by what is done with them and whether they are wanted";
      gauge("kubelet_working_pods", help, count, { lifecycle, config, static: "" });
    }
  const ephemeral = wanted.reduce((sum, { spec }) => sum + (spec.ephemeralContainers?.length ?? 0), 0);
  gauge(
    "kubelet_managed_ephemeral_containers",
    "Current number of ephemeral containers in pods of this node.",
    ephemeral,
  );
}

function volumeGauges(gauge: Gauge, volumes: Volumes): void {
  const seen = new Set<string>();
  for (const { namespace, volume } of volumes) {
    const { claim, fs } = volume;
    if (claim === undefined || seen.has(`${namespace}/${claim}`)) continue;
    seen.add(`${namespace}/${claim}`);
    const labels = { namespace, persistentvolumeclaim: claim };
    const tell = (name: string, help: string, value: number) =>
      gauge(`kubelet_volume_stats_${name}`, help, value, labels);
    tell("capacity_bytes", "Capacity in bytes of the volume", fs.capacity);
    tell("available_bytes", "Number of available bytes in the volume", fs.available);
    tell("used_bytes", "Number of used bytes in the volume", fs.used);
    tell("inodes", "Maximum number of inodes in the volume", fs.inodes);
    tell("inodes_free", "Number of free inodes in the volume", fs.inodesFree);
    tell("inodes_used", "Number of used inodes in the volume", fs.inodesUsed);
  }
}

/** As Prometheus' own libraries tell them of every program. */
export function processMetrics(to: Exposition): void {
  const own = processFigures("self");
  if (!own) return;
  const gauge: Gauge = (name, help, value) => to.add(`process_${name}`, "gauge", help, value);
  to.add("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", own.cpuSeconds);
  gauge("resident_memory_bytes", "Resident memory size in bytes.", own.residentBytes);
  gauge("virtual_memory_bytes", "Virtual memory size in bytes.", own.virtualBytes);
  gauge("start_time_seconds", "Start time of the process since unix epoch in seconds.", own.startedAt / SECOND_MS);
  gauge("open_fds", "Number of open file descriptors.", readdirSync("/proc/self/fd").length);
  const most = /^Max open files\s+(\d+)/m.exec(read("/proc/self/limits") ?? "")?.[1];
  gauge("max_fds", "Maximum number of open file descriptors.", Number(most ?? 0));
}

const PLATFORMS: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

function buildInfo(to: Exposition, version: string): void {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const labels = {
    build_date: "",
    compiler: "",
    git_commit: "",
    git_tree_state: "",
    git_version: version,
    go_version: "",
    major,
    minor,
    platform: `linux/${PLATFORMS[arch()] ?? arch()}`,
  };
  const help = "A metric with a constant '1' value labeled by the versions that this was built as.";
  to.add("kubernetes_build_info", "gauge", help, 1, labels);
}
