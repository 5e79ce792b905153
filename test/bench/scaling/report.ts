/** The data, the words and the picture of load and pods over time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Sent } from "./load.ts";

export type Pods = { atMs: number; wanted: number; ready: number };
export type Run = { sent: readonly Sent[]; pods: readonly Pods[] };

const RESULTS = join(import.meta.dirname, "../results");
const SECOND_MS = 1000;
const seconds = (ms: number) => (ms / SECOND_MS).toFixed(2);

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function scalingTable({ sent, pods }: Run): string {
  const took = sent.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const failed = sent.filter(({ status }) => status !== 200).length;
  const most = Math.max(0, ...pods.map(({ ready }) => ready));
  const rows = [
    ["requests", String(sent.length)],
    ["of these failed", String(failed)],
    ["answered within, median", `${seconds(percentile(took, 0.5))} s`],
    ["99 of 100", `${seconds(percentile(took, 0.99))} s`],
    ["the longest, which waited for the first pod", `${seconds(took.at(-1) ?? 0)} s`],
    ["most pods", String(most)],
  ];
  return ["| | |", "|---|---|", ...rows.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}

export function writeScaling(run: Run): void {
  mkdirSync(RESULTS, { recursive: true });
  const machine = `${cpus().length} × ${cpus()[0]?.model}`;
  const rates = ratesOf(run.sent).map(({ second, count }) => [second, count]);
  const pods = run.pods.map(({ atMs, wanted, ready }) => [Math.round(atMs / SECOND_MS), wanted, ready]);
  writeFileSync(join(RESULTS, "scaling.json"), `${JSON.stringify({ machine, rates, pods })}\n`);
  writeFileSync(join(RESULTS, "scaling.svg"), picture(run));
  const text = `# Load and pods over time

A Deployment behind an Ingress of one node, from no pods and back to none: a HorizontalPodAutoscaler goes by
\`requests_per_second\` of its Service, one pod for each ten, and \`skerry.dev/scale-to-zero\` is 20 s; on ${machine}, shared
with other work. See [README.md](README.md#load-and-pods).

What comes by a Service's own address is counted and held as well, and autoscalers go by it as \`connections_per_second\`;
that is tested (\`test/kubectl/scaling-by-connections.test.ts\`), and not in this picture.

${scalingTable(run)}

![load and pods](results/scaling.svg)
`;
  writeFileSync(join(import.meta.dirname, "../SCALING.md"), text);
}

function ratesOf(sent: readonly Sent[]): { second: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const { atMs } of sent) {
    const second = Math.floor(atMs / SECOND_MS);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  const last = Math.max(0, ...counts.keys());
  return Array.from({ length: last + 2 }, (_, second) => ({ second, count: counts.get(second) ?? 0 }));
}

/** Of those that were sent in each second. */
function slowestOf(sent: readonly Sent[]): { at: number; value: number }[] {
  const slowest = new Map<number, number>();
  for (const { atMs, tookMs } of sent) {
    const second = Math.floor(atMs / SECOND_MS);
    slowest.set(second, Math.max(slowest.get(second) ?? 0, tookMs / SECOND_MS));
  }
  return [...slowest].map(([at, value]) => ({ at, value }));
}

/** Three charts under each other: requests a second, pods, and what requests took. */
function picture({ sent, pods }: Run): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const [LOAD, PODS, TOOK] = ["requests a second", "pods: wanted, ready", "the slowest answer, s"];
  const rates = ratesOf(sent).map(({ second, count }) => ({ at: second, value: count }));
  const figures = (of: "wanted" | "ready") => pods.map((each) => ({ at: each.atMs / SECOND_MS, value: each[of] }));
  const took = slowestOf(sent);
  const charts = [
    {
      name: LOAD,
      marks: [Plot.areaY(rates, { x: "at", y: "value", fill: "#326ce5", fillOpacity: 0.5, curve: "step-after" })],
    },
    {
      name: PODS,
      marks: [
        Plot.areaY(figures("ready"), { x: "at", y: "value", fill: "#d9480f", fillOpacity: 0.35, curve: "step-after" }),
        Plot.line(figures("wanted"), { x: "at", y: "value", stroke: "#d9480f", curve: "step-after" }),
      ],
    },
    { name: TOOK, marks: [Plot.dot(took, { x: "at", y: "value", fill: "#0b7285", r: 2 })] },
  ];
  const end = Math.max(1, ...pods.map(({ atMs }) => atMs / SECOND_MS)) + 5;
  const drawn = charts.map(({ name, marks }, index) => {
    const isLast = index === charts.length - 1;
    const chart = Plot.plot({
      document,
      width: 860,
      height: isLast ? 150 : 130,
      marginLeft: 50,
      marginBottom: isLast ? 36 : 18,
      style: { fontSize: "12px", background: "white", color: "black" },
      x: { domain: [0, end], label: isLast ? "seconds" : null },
      y: { label: name, grid: true, ticks: 4, zero: true },
      marks: [Plot.ruleY([0]), ...marks],
    });
    chart.setAttribute("y", String(index * 140));
    return chart.outerHTML;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="860" height="430" viewBox="0 0 860 430">\n<rect width="860" height="430" fill="white"/>\n${drawn.join("\n")}\n</svg>\n`;
}
