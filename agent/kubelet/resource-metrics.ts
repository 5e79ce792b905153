/** `/metrics/resource`: https://kubernetes.io/docs/reference/instrumentation/node-metrics/ */
import type { Cgroup } from "./cgroup.ts";
import { Exposition, type Labels } from "./exposition.ts";
import type { Figures, NodeFigures } from "./sampler.ts";

const SECOND_NS = 1e9;
const SECOND_MS = 1000;

export function resourceMetrics({ at, own, pods }: NodeFigures, cgroup: Cgroup): string {
  const to = new Exposition();
  const tell = (of: "node" | "pod" | "container", { cpu, memory }: Figures, labels: Labels = {}) => {
    const consumed = `Cumulative cpu time consumed by the ${of} in core-seconds`;
    to.add(`${of}_cpu_usage_seconds_total`, "counter", consumed, cpu / SECOND_NS, labels, at);
    const working = `Current working set of the ${of} in bytes`;
    to.add(`${of}_memory_working_set_bytes`, "gauge", working, memory.workingSet, labels, at);
    const swap = `Current swap usage of the ${of} in bytes`;
    to.add(`${of}_swap_usage_bytes`, "gauge", swap, memory.swap, labels, at);
  };
  tell("node", own);
  for (const { on, own: whole, containers } of pods) {
    const { name, namespace } = on.memory;
    tell("pod", whole, { pod: name, namespace });
    for (const container of containers) {
      const labels = { container: container.name, pod: name, namespace };
      tell("container", container, labels);
      const started = container.attempt.startedAt / SECOND_MS;
      const help = "Start time of the container since unix epoch in seconds";
      to.add("container_start_time_seconds", "gauge", help, started, labels);
      const limit = cgroup.spec(container.path)?.swapLimit;
      const most = "Current amount of the container swap limit in bytes";
      if (limit !== undefined) to.add("container_swap_limit_bytes", "gauge", most, limit, labels, at);
    }
  }
  const help = "1 if there was an error while getting container metrics, 0 otherwise";
  to.add("resource_scrape_error", "gauge", help, 0);
  return to.text();
}
