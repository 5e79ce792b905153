/** What people read on a terminal. */
import { styleText } from "node:util";

/** Control characters, and those that turn the direction of what follows. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** What others have written, as one line that leaves the terminal alone: `\u001b[2J` is told in letters. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** For programs: what `--json` prints. docs/start.md says which shape all of it has. */
export const printJson = (value: unknown): void =>
  void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);

/** Of a row's cell; the padding around it is no part of it. */
type Paint = (cell: string, column: number) => string;

/** Columns as wide as what is in them; colours do not count. Cells are made printable. */
export function table(cells: readonly (readonly string[])[], gap = "   ", paint: Paint = (cell) => cell): string {
  const rows = cells.map((row) => row.map(printable));
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

/** Whoever reads may have had enough, as `head` has: what is then written is no fault. */
export function endWithReader(output: Pick<NodeJS.WriteStream, "on">, exit: (code: number) => void): void {
  output.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    exit(0);
  });
}
