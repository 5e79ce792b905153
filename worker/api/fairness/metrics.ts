/** How requests fare, by priority level, in the names of kube-apiserver and the text format of Prometheus. */
import type { Level } from "./queues.ts";

type Metric = { name: string; type: "gauge" | "counter"; help: string; of(level: Level): number };

const METRICS: readonly Metric[] = [
  {
    name: "nominal_limit_seats",
    type: "gauge",
    help: "Nominal number of execution seats configured for each priority level",
    of: ({ rules }) => rules.seats,
  },
  {
    name: "current_inqueue_requests",
    type: "gauge",
    help: "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
    of: ({ waiting }) => waiting,
  },
  {
    name: "rejected_requests_total",
    type: "counter",
    help: "Number of requests rejected by API Priority and Fairness subsystem",
    of: ({ rejected }) => rejected,
  },
];

/** Since this memory began. Names of levels are DNS names: nothing in them needs escaping. */
export function metricsOf(levels: Iterable<readonly [name: string, level: Level]>): string {
  const all = [...levels].sort(([a], [b]) => (a < b ? -1 : 1));
  return METRICS.map(({ name, type, help, of }) => {
    const full = `apiserver_flowcontrol_${name}`;
    const samples = all.map(([level, state]) => `${full}{priority_level="${level}"} ${of(state)}\n`);
    return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.join("")}`;
  }).join("");
}
