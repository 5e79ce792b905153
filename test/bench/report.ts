/** What was found: a table for the terminal and the file, the data, and the plots. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../agent/version.ts";
import { KUBERNETES_VERSION } from "../support/upstream.ts";
import { plot } from "./plot.ts";
import { judge, type Result } from "./runner.ts";

const HERE = import.meta.dirname;

export type Report = {
  date: string;
  machine: string;
  versions: Record<string, string>;
  rounds: number;
  results: Result[];
};

export function describe(date: string, rounds: number, results: Result[]): Report {
  const machine = `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  const versions = { skerry: VERSION, kubernetes: KUBERNETES_VERSION, node: process.version };
  return { date, machine, versions, rounds, results };
}

const number = (value: number | undefined) =>
  value === undefined ? "–" : value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);

const goalText = ({ goal }: Result) =>
  `${"atLeast" in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`}${goal.of === "ratio" ? "×" : ""}`;

const HEAD = ["measure", "unit", "Skerry", "peer", "ratio", "goal", "met"];

/** One for each peer. */
function rows(results: readonly Result[]): string[][] {
  return results.flatMap((result) => {
    const peers = [...new Set(result.samples.map(({ side }) => side))].filter((side) => side !== "skerry");
    return (peers.length ? peers : [undefined]).map((against) => {
      const { ours, peer, ratio, met } = judge(result, against);
      const times = ratio === undefined ? "–" : `${ratio.toFixed(2)}×`;
      const peerText = against ? `${number(peer)} (${against})` : "–";
      const metText = met === undefined ? "–" : met ? "yes" : "no";
      return [result.name, result.unit, number(ours), peerText, times, goalText(result), metText];
    });
  });
}

/** One Markdown table of medians, padded so that it reads as plain text too. */
export function table(results: readonly Result[]): string {
  const all = [HEAD, ...rows(results)];
  const widths = HEAD.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(HEAD), rule, ...all.slice(1).map(line)].join("\n");
}

/** Writes RESULTS.md with its data and plots beside it. */
export function write(report: Report): void {
  const folder = join(HERE, "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(report, null, 1)}\n`);
  const groups = Map.groupBy(report.results, ({ group }) => group);
  const plots = [...groups].map(([name, results]) => {
    writeFileSync(join(folder, `${name}.svg`), plot(results));
    return `![${name}](results/${name}.svg)`;
  });
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const text = `# Results

${report.date}, ${report.rounds} rounds, sides in turn, on ${report.machine}; ${versions.join(", ")}.
Medians; the ratio is Skerry's value divided by the peer's. [README.md](README.md) says what is counted and how;
[results/results.json](results/results.json) has every sample.

${table(report.results)}

Each dot is one round.

${plots.join("\n\n")}

${readFileSync(join(HERE, "TRIED.md"), "utf8").trim()}
`;
  writeFileSync(join(HERE, "RESULTS.md"), text);
}
