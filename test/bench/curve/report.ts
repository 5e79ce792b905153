/** The curve's data, table and picture. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Size, Times } from "./measures.ts";

export type Point = Size & {
  times: Record<string, Times>;
  /** In ms: from the start of the process to the first answer; until all nodes' sockets were open again; until a pod was placed. */
  restartMs: number;
  reconnectMs: number;
  firstPlacedMs: number;
  rssMb: number;
  fileMb: number;
  rows: Record<string, number>;
};

const RESULTS = join(import.meta.dirname, "../results");
const number = (value: number | undefined) =>
  value === undefined ? "–" : value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(2);

export function curveTable(points: readonly Point[]): string {
  const head = ["", ...points.map(({ pods, nodes }) => `${pods.toLocaleString("en")} pods, ${nodes} nodes`)];
  const names = Object.keys(points[0]?.times ?? {});
  const rows = [
    ...names.map((name) => [
      `${name}, p50 / p99, ms`,
      ...points.map(({ times }) => `${number(times[name]?.p50)} / ${number(times[name]?.p99)}`),
    ]),
    ["restart until the first answer, ms", ...points.map(({ restartMs }) => number(restartMs))],
    ["until all nodes are connected again, ms", ...points.map(({ reconnectMs }) => number(reconnectMs))],
    ["until the first pod is placed after that, ms", ...points.map(({ firstPlacedMs }) => number(firstPlacedMs))],
    ["resident memory of workerd, MB", ...points.map(({ rssMb }) => number(rssMb))],
    ["database, MB", ...points.map(({ fileMb }) => number(fileMb))],
    ["rows: objects", ...points.map(({ rows: { objects } }) => number(objects))],
    ["rows: the log of changes", ...points.map(({ rows: { changes } }) => number(changes))],
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

export function writeCurve(points: readonly Point[]): void {
  mkdirSync(RESULTS, { recursive: true });
  const machine = `${cpus().length} × ${cpus()[0]?.model}`;
  writeFileSync(join(RESULTS, "curve.json"), `${JSON.stringify({ machine, heapMb: 128, points }, null, 1)}\n`);
  writeFileSync(join(RESULTS, "curve.svg"), picture(points));
  const text = `# Cost against size

One Cluster object in workerd with a JavaScript heap of 128 MB, all controllers and the scheduler at work, every node's
control socket open; on ${machine}, shared with other work. See [README.md](README.md#cost-against-size).

${curveTable(points)}

![curve](results/curve.svg)
`;
  writeFileSync(join(import.meta.dirname, "../CURVE.md"), text);
}

/** One small chart for each operation: pods against ms, both logarithmic; the line is the median, the dot p99. */
function picture(points: readonly Point[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const dots = points.flatMap(({ pods, times }) =>
    Object.entries(times).map(([name, { p50, p99 }]) => ({ pods, name, p50, p99 })),
  );
  const names = [...new Set(dots.map(({ name }) => name))];
  const drawn = Plot.plot({
    document,
    width: 640,
    height: 60 + 76 * names.length,
    marginLeft: 60,
    marginRight: 200,
    style: { fontSize: "12px", background: "white", color: "black" },
    x: { type: "log", label: "pods", grid: true },
    y: { type: "log", label: "ms", ticks: 3, tickFormat: "~g" },
    fy: { label: null, domain: names },
    marks: [
      Plot.frame({ stroke: "#e5e5e5" }),
      Plot.line(dots, { x: "pods", y: "p50", fy: "name", stroke: "#d9480f", marker: true }),
      Plot.dot(dots, { x: "pods", y: "p99", fy: "name", stroke: "#d9480f", r: 2 }),
    ],
  });
  drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${drawn.outerHTML}\n`;
}
