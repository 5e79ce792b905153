/**
 * `/metrics/cadvisor`, under the names and labels that kubelets have it.
 * https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
 */
import { nodeCgroup } from "../pods/cgroups.ts";
import { type Cgroup, specOf } from "./cgroup.ts";
import { type DiskUsages, deviceName, deviceOf, fileSystemOf, writableLayerOf } from "./disk.ts";
import { Exposition, type Labels, type MetricType } from "./exposition.ts";
import { bootTime, type MachineFacts } from "./machine.ts";
import { type Interface, interfacesOf, type Traffic } from "./network.ts";
import type { Figures, NodeFigures, PodFigures } from "./sampler.ts";

export type CadvisorParts = {
  home: string;
  cgroup: Cgroup;
  usages: DiskUsages;
  machine: MachineFacts;
  version: string;
};

/** One cgroup, and what is known of what runs in it. */
type Subject = { labels: Labels; figures: Figures; startedAt: number; isWhole?: boolean };

const SECOND_NS = 1e9;
const SECOND_US = 1e6;
const SECOND_MS = 1000;

export async function cadvisorMetrics(parts: CadvisorParts, { at, own, pods }: NodeFigures): Promise<string> {
  const to = new Exposition();
  machineMetrics(to, parts);
  const above = nodeCgroup(parts.home);
  const whole: Subject[] = [{ labels: labelsOf("/"), figures: own, startedAt: bootTime(), isWhole: true }];
  const cpu = parts.cgroup.cpu(above);
  const memory = parts.cgroup.memory(above);
  if (cpu !== undefined && memory)
    whole.push({ labels: labelsOf(above), figures: { path: above, cpu, memory }, startedAt: bootTime() });
  for (const subject of [...whole, ...pods.flatMap(subjectsOf)]) cgroupMetrics(to, parts.cgroup, subject, at);
  network(to, labelsOf("/"), interfacesOf("self"), at);
  for (const pod of pods) network(to, sandboxLabels(pod), interfacesOf(pod.containers[0]?.pid ?? 0), at);
  await disks(to, parts, pods, at);
  return to.text();
}

function labelsOf(
  id: string,
  more: Partial<Record<"container" | "image" | "name" | "namespace" | "pod", string>> = {},
) {
  return { container: "", image: "", name: "", namespace: "", pod: "", ...more, id };
}

const podLabels = ({ on: { memory } }: PodFigures) => ({ namespace: memory.namespace, pod: memory.name });

/** A pod's network is its sandbox's. */
function sandboxLabels(pod: PodFigures): Labels {
  const name = pod.on.memory.sandbox?.id ?? "";
  return labelsOf(`${pod.own.path}/${name}`, { ...podLabels(pod), name });
}

function subjectsOf(pod: PodFigures): Subject[] {
  const whole = { labels: labelsOf(pod.own.path, podLabels(pod)), figures: pod.own };
  const containers = pod.containers.map((container): Subject => {
    const { id, imageName, image, startedAt } = container.attempt;
    const labels = { ...podLabels(pod), container: container.name, image: imageName || image, name: id };
    return { labels: labelsOf(container.path, labels), figures: container, startedAt };
  });
  return [{ ...whole, startedAt: pod.on.memory.startedAt }, ...containers];
}

function machineMetrics(to: Exposition, { machine, version }: CadvisorParts): void {
  const labels = { boot_id: machine.bootId, machine_id: machine.machineId, system_uuid: machine.systemUuid };
  const gauge = (name: string, help: string, value: number) => to.add(name, "gauge", help, value, labels);
  gauge("machine_cpu_cores", "Number of logical CPU cores.", machine.cores);
  gauge("machine_cpu_physical_cores", "Number of physical CPU cores.", machine.physicalCores);
  gauge("machine_cpu_sockets", "Number of CPU sockets.", machine.sockets);
  gauge("machine_memory_bytes", "Amount of memory installed on the machine.", machine.memoryBytes);
  gauge("machine_swap_bytes", "Amount of swap memory available on the machine.", machine.swapBytes);
  gauge("machine_scrape_error", "1 if there was an error while getting machine metrics, 0 otherwise.", 0);
  const info = "Always 1, labeled by versions: of the kernel, the system, and what tells all this.";
  const { kernelVersion, osVersion } = machine;
  const versions = { kernelVersion, osVersion, dockerVersion: "", cadvisorVersion: version, cadvisorRevision: "" };
  to.add("cadvisor_version_info", "gauge", info, 1, versions);
  to.add("container_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise.", 0);
}

type Add = (name: string, help: string, value: number, more?: Labels) => void;

function cgroupMetrics(to: Exposition, cgroup: Cgroup, subject: Subject, at: number): void {
  const { labels, figures, startedAt } = subject;
  const adder =
    (type: MetricType, time?: number): Add =>
    (name, help, value, more) =>
      to.add(`container_${name}`, type, help, value, { ...labels, ...more }, time);
  const counter = adder("counter", at);
  const gauge = adder("gauge", at);
  const spec = adder("gauge");
  spec(
    "start_time_seconds",
    "Start time of the container since unix epoch in seconds.",
    Math.floor(startedAt / SECOND_MS),
  );
  gauge("last_seen", "Last time a container was seen by the exporter", Math.floor(at / SECOND_MS));
  specMetrics(spec, cgroup, figures.path);
  cpuMetrics(counter, cgroup, figures);
  memoryMetrics(counter, gauge, figures);
  const tasks = cgroup.tasks(figures.path);
  if (tasks) {
    gauge("processes", "Number of processes running inside the container.", tasks.processes);
    gauge("threads", "Number of threads running inside the container", tasks.threads);
    gauge("threads_max", "Maximum number of threads allowed inside the container, 0 for any number", tasks.maxThreads);
  }
  counter(
    "oom_events_total",
    "Count of out of memory events observed for the container",
    cgroup.oomKills(figures.path),
  );
  for (const { device, readBytes, writtenBytes, reads, writes } of cgroup.io(figures.path)) {
    const on = { device: deviceName(device) };
    counter("fs_reads_bytes_total", "Cumulative count of bytes read", readBytes, on);
    counter("fs_reads_total", "Cumulative count of reads completed", reads, on);
    counter("fs_writes_bytes_total", "Cumulative count of bytes written", writtenBytes, on);
    counter("fs_writes_total", "Cumulative count of writes completed", writes, on);
  }
  for (const resource of ["cpu", "memory", "io"] as const) {
    const found = cgroup.pressure(figures.path, resource);
    if (!found) continue;
    const stalled = `Time in which nothing in the container went on for want of ${resource}, in seconds`;
    counter(`pressure_${resource}_stalled_seconds_total`, stalled, found.full.total / SECOND_US);
    const waiting = `Time in which something in the container waited for ${resource}, in seconds`;
    counter(`pressure_${resource}_waiting_seconds_total`, waiting, found.some.total / SECOND_US);
  }
}

function specMetrics(add: Add, cgroup: Cgroup, path: string): void {
  const spec = specOf(cgroup, path);
  if (!spec) return;
  add("spec_cpu_period", "CPU period of the container.", spec.cpuPeriod);
  if (spec.cpuQuota > 0) add("spec_cpu_quota", "CPU quota of the container.", spec.cpuQuota);
  add("spec_cpu_shares", "CPU share of the container.", spec.cpuShares);
  add("spec_memory_limit_bytes", "Memory limit for the container.", spec.memoryLimit);
  add("spec_memory_swap_limit_bytes", "Memory swap limit for the container.", spec.swapLimit ?? 0);
  add("spec_memory_reservation_limit_bytes", "Memory reservation limit for the container.", spec.reservation);
}

function cpuMetrics(counter: Add, cgroup: Cgroup, { path, cpu }: Figures): void {
  counter("cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", cpu / SECOND_NS, { cpu: "total" });
  const { user = 0, system = 0 } = cgroup.cpuTimes(path) ?? {};
  counter("cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", user / SECOND_NS);
  counter("cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.", system / SECOND_NS);
  const throttled = specOf(cgroup, path)?.cpuQuota ? cgroup.throttling(path) : undefined;
  if (!throttled) return;
  counter("cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", throttled.periods);
  counter("cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", throttled.throttledPeriods);
  const held = "Total time duration the container has been throttled.";
  counter("cpu_cfs_throttled_seconds_total", held, throttled.ns / SECOND_NS);
}

function memoryMetrics(counter: Add, gauge: Add, { memory }: Figures): void {
  const m = memory;
  gauge("memory_cache", "Number of bytes of page cache memory.", m.cache);
  gauge("memory_rss", "Size of RSS in bytes.", m.rss);
  gauge("memory_kernel_usage", "Size of kernel memory allocated in bytes.", m.kernel);
  gauge("memory_mapped_file", "Size of memory mapped files in bytes.", m.mappedFile);
  gauge("memory_swap", "Container swap usage in bytes.", m.swap);
  counter("memory_failcnt", "Number of memory usage hits limits", m.failures);
  gauge("memory_usage_bytes", "Current memory usage in bytes, also of what was not used for long", m.usage);
  gauge("memory_max_usage_bytes", "Maximum memory usage recorded in bytes", m.max);
  gauge("memory_working_set_bytes", "Current working set in bytes.", m.workingSet);
  gauge("memory_total_active_file_bytes", "Current total active file in bytes.", m.activeFile);
  gauge("memory_total_inactive_file_bytes", "Current total inactive file in bytes.", m.inactiveFile);
  const failures = { pgfault: m.pageFaults, pgmajfault: m.majorPageFaults };
  for (const scope of ["container", "hierarchy"])
    for (const [failure_type, value] of Object.entries(failures))
      counter("memory_failures_total", "Cumulative count of memory allocation failures.", value, {
        failure_type,
        scope,
      });
}

const TRAFFIC = [
  ["bytes", "bytes_total", "bytes"],
  ["packets", "packets_total", "packets"],
  ["errors", "errors_total", "errors"],
  ["dropped", "packets_dropped_total", "packets dropped"],
] as const satisfies [keyof Traffic, string, string][];

function network(to: Exposition, labels: Labels, interfaces: readonly Interface[], at: number): void {
  for (const { name, receive, transmit } of interfaces)
    for (const [of, series, what] of TRAFFIC)
      for (const [way, traffic] of [
        ["receive", receive],
        ["transmit", transmit],
      ] as const)
        to.add(
          `container_network_${way}_${series}`,
          "counter",
          `Cumulative count of ${what}: ${way}`,
          traffic[of],
          { ...labels, interface: name },
          at,
        );
}

async function disks(to: Exposition, { home, usages }: CadvisorParts, pods: readonly PodFigures[], at: number) {
  const fs = fileSystemOf(home);
  if (!fs) return;
  const device = deviceOf(home);
  const add = (labels: Labels, used: number) => {
    const gauge = (name: string, help: string, value: number) =>
      to.add(`container_fs_${name}`, "gauge", help, value, { ...labels, device }, at);
    gauge("limit_bytes", "Number of bytes that can be consumed by the container on this filesystem.", fs.capacity);
    gauge("usage_bytes", "Number of bytes that are consumed by the container on this filesystem.", used);
    gauge("inodes_total", "Number of Inodes", fs.inodes);
    gauge("inodes_free", "Number of available Inodes", fs.inodesFree);
  };
  add(labelsOf("/"), fs.used);
  const layers = pods.flatMap((pod) =>
    subjectsOf(pod)
      .slice(1)
      .map(async ({ labels }, index) => {
        const layer = writableLayerOf(pod.containers[index]?.pid ?? 0);
        if (layer !== undefined) add(labels, (await usages.of(layer)).bytes);
      }),
  );
  await Promise.all(layers);
}
