/** What people read on a terminal. */
import { styleText } from "node:util";

/** Of a row's cell; the padding around it is no part of it. */
type Paint = (cell: string, column: number) => string;

/** Columns as wide as what is in them; colours do not count. */
export function table(rows: readonly (readonly string[])[], gap = "   ", paint: Paint = (cell) => cell): string {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const line = (row: readonly string[]) =>
    row.map((cell, at) => paint(cell, at) + (at < row.length - 1 ? padding(cell, widths[at]) : "")).join(gap);
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

const padding = (cell: string, width = 0) => " ".repeat(width - cell.length);

type Colour = "red" | "yellow" | "green" | "cyan" | "magenta" | "blue" | "dim" | "bold";

/** Only where a terminal shows it, and NO_COLOR does not forbid it: https://no-color.org */
export const coloured = (colour: Colour, text: string): string => styleText(colour, text, { stream: process.stdout });

const NAMES: readonly Colour[] = ["cyan", "yellow", "green", "magenta", "blue"];
/** Of the nth of several that are told from each other. */
export const colourOf = (n: number): Colour => NAMES[n % NAMES.length] ?? "cyan";
