/** What is plotted: lines in a box of `WIDTH` by `HEIGHT`, and amounts in words. */
import type { Measure, Series, Values } from "../api/metric-series.ts";
import { latencyLine } from "./requests.ts";

export const WIDTH = 300;
export const HEIGHT = 80;

export type Line = { name: string; values: Values };
export type Unit = "cores" | "bytes" | "bytes/s" | "requests/s" | "ms";
export type Plotted = { title: string; unit: Unit; lines: readonly Line[] };

const PLOTS: readonly { title: string; unit: Unit; measures: readonly (readonly [Measure, string])[] }[] = [
  { title: "Processors", unit: "cores", measures: [["cpu", "in use"]] },
  { title: "Memory", unit: "bytes", measures: [["memory", "in use"]] },
  {
    title: "Network",
    unit: "bytes/s",
    measures: [
      ["received", "received"],
      ["sent", "sent"],
    ],
  },
  {
    title: "Requests",
    unit: "requests/s",
    measures: [
      ["requests", "in all"],
      ["failed", "failed"],
    ],
  },
];

/** Those of which anything is known. */
export const plotsOf = (series: Series): Plotted[] =>
  [
    ...PLOTS.map(({ title, unit, measures }) => ({
      title,
      unit,
      lines: measures.flatMap(([measure, name]) => {
        const values = series[measure];
        return values ? [{ name, values }] : [];
      }),
    })),
    { title: "Latency", unit: "ms" as const, lines: latencyLines(series) },
  ].filter(({ lines }) => lines.length > 0);

const latencyLines = (series: Series): Line[] =>
  [
    { name: "for half of the answers", values: latencyLine(series, 0.5) },
    { name: "for 99 of 100", values: latencyLine(series, 0.99) },
  ].filter(({ values }) => values.some((value) => value !== null));

export const mostOf = (lines: readonly Line[]): number =>
  Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));

/** SVG's path of a line; where nothing is known it is interrupted, and what stands alone is a dot. */
export function pathOf(values: Values, most: number): string {
  const x = (slot: number) => ((slot / Math.max(1, values.length - 1)) * WIDTH).toFixed(1);
  const y = (value: number) => (HEIGHT - (most > 0 ? value / most : 0) * HEIGHT).toFixed(1);
  let path = "";
  let isDrawing = false;
  for (const [slot, value] of values.entries()) {
    if (value !== null) path += `${isDrawing ? "L" : "M"}${x(slot)} ${y(value)}`;
    if (value !== null && !isDrawing && values[slot + 1] === null) path += "h.01";
    isDrawing = value !== null;
  }
  return path;
}

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];

export function amount(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return "not known";
  if (unit === "ms") return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
  if (unit === "requests/s")
    return `${value < 10 ? value.toFixed(value < 0.1 && value > 0 ? 2 : 1) : Math.round(value)}/s`;
  if (unit === "cores") return value < 1000 ? `${Math.round(value)}m` : (value / 1000).toFixed(2);
  const power = Math.min(BYTES.length - 1, value < 1 ? 0 : Math.floor(Math.log(value) / Math.log(1024)));
  const scaled = value / 1024 ** power;
  const text = `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${BYTES[power]}`;
  return unit === "bytes" ? text : `${text}/s`;
}

/** The newest slot of which anything is known. */
export function newest(lines: readonly Line[]): number {
  const slots = Math.max(0, ...lines.map(({ values }) => values.length));
  for (let slot = slots - 1; slot >= 0; slot--)
    if (lines.some(({ values }) => typeof values[slot] === "number")) return slot;
  return 0;
}

/** In one's own language and time; with the day where the time alone does not tell. */
export function momentOf(ms: number, withDay: boolean): string {
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(undefined, withDay ? { ...time, month: "short", day: "numeric" } : time).format(ms);
}
