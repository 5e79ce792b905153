/** What is known of each conformance test, as text files that people read and git compares. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `why` is empty for a test that passed, else what the suite said. */
export type Result = { name: string; passed: boolean; seconds: number; why: string };

const FOLDER = join(import.meta.dirname, "results");
const PASSING = join(import.meta.dirname, "passing.txt");
const SAMPLE = join(import.meta.dirname, "sample.txt");
const README = join(import.meta.dirname, "README.md");
const MAX_WHY_LENGTH = 300;

/** The part of Kubernetes that a test belongs to: the name of its special interest group; or another suite's. */
export const areaOf = (name: string) => /^\[([a-z-]+)\]/.exec(name)?.[1] ?? "other";

/** `passed 3 s NAME`, or `failed 3 s NAME` and an indented line that says why. */
export function format(results: readonly Result[]): string {
  const rows = results
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, passed, seconds, why }) => {
      const row = `${passed ? "passed" : "failed"} ${String(seconds).padStart(4)} s ${name}\n`;
      return passed ? row : `${row}    ${firstLine(why)}\n`;
    });
  return rows.join("");
}

export function parse(text: string): Result[] {
  const rows = text.matchAll(/^(passed|failed) +(\d+) s (.*)\n(?: {4}(.*)\n)?/gm);
  return [...rows].map(([, state, seconds, name = "", why = ""]) => ({
    name,
    passed: state === "passed",
    seconds: Number(seconds),
    why,
  }));
}

/** The first line that says something, without what differs from run to run. */
function firstLine(why: string): string {
  const line = why.split("\n").find((text) => text.trim() !== "") ?? "";
  return line.trim().slice(0, MAX_WHY_LENGTH);
}

export function readResults(): Map<string, Result> {
  mkdirSync(FOLDER, { recursive: true });
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
  const all = files.flatMap((name) => parse(readFileSync(join(FOLDER, name), "utf8")));
  return new Map(all.map((result) => [result.name, result]));
}

export function writeResults(results: ReadonlyMap<string, Result>): void {
  for (const [area, ofArea] of Map.groupBy(results.values(), ({ name }) => areaOf(name)))
    writeFileSync(join(FOLDER, `${area}.txt`), format(ofArea));
}

/** The names of the tests that must pass. */
export function readPassing(): string[] {
  return readFileSync(PASSING, "utf8").split("\n").filter(Boolean);
}

/** The names of tests of groups that are not usually run which `npm test` takes too: short, and seen to pass four times. */
export function readSample(): string[] {
  return readFileSync(SAMPLE, "utf8").split("\n").filter(Boolean);
}

/** Adds tests that passed. The list only grows. */
export function addPassing(results: Iterable<Result>): void {
  const passed = [...results].filter((result) => result.passed).map(({ name }) => name);
  const all = new Set([...readPassing(), ...passed]);
  writeFileSync(
    PASSING,
    [...all]
      .toSorted()
      .map((name) => `${name}\n`)
      .join(""),
  );
}

/** A Markdown table: how many tests each area or group has, and how they ended last. */
export function table(
  tests: readonly string[],
  results: ReadonlyMap<string, Result>,
  partOf: (name: string) => string,
): string {
  const areas = [...Map.groupBy(tests, partOf)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rows = [
    ["area", "tests", "passed", "failed", "not run"],
    ...areas.map(([area, names]) => row(area, names, results)),
    row("**all**", tests, results),
  ];
  return markdown(rows);
}

/** A Markdown table of a head and rows, all but the first column to the right. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.keys().toArray() ?? [];
  const widths = columns.map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const lines = rows.map((cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return [lines[0] ?? [], rule, ...lines.slice(1)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function row(title: string, names: readonly string[], results: ReadonlyMap<string, Result>): string[] {
  // What the suite itself skips, since it does not fit the cluster, was not run.
  const known = names.flatMap((name) => results.get(name) ?? []).filter(({ why }) => !why.startsWith("skipped: "));
  const passed = known.filter((result) => result.passed).length;
  return [title, ...[names.length, passed, known.length - passed, names.length - known.length].map(String)];
}

/** Puts tables, and what is said between them, into the README, between the two marks there. */
export function writeTables(paragraphs: readonly string[]): void {
  const text = readFileSync(README, "utf8");
  writeFileSync(
    README,
    text.replace(/(?<=<!-- results -->\n)[\s\S]*(?=\n<!-- end -->)/, () => `\n${paragraphs.join("\n\n")}\n`),
  );
}
