/**
 * Proves that the simulator finds bugs: each mutant must fail within a thousand seeds. What finds it is written into
 * RESULTS.md as soon as it is known.
 * `npm run sim:mutants -- [--hours H] [--seeds N] [--jobs N] [NAME …]`
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Verdict } from "./hunt.ts";
import { copied, exec, type Mutant, mutants } from "./patches.ts";
import { violationOf } from "./violation.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hours: { type: "string", default: "0.6" },
    seeds: { type: "string", default: "1000" },
    jobs: { type: "string", default: String(availableParallelism()) },
  },
});

type Result = { mutant: Mutant; verdict: Partial<Verdict>; seconds: number };

async function hunt(folder: string, first: number, last: number): Promise<Verdict> {
  const script = ["test/sim/mutants/hunt.ts", String(first), String(last), values.hours];
  const { stdout } = await exec(process.execPath, script, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Verdict;
}

/** The first seed that fails with the mutant and not without it. */
async function firstFailure(folder: string): Promise<Verdict> {
  const last = Number(values.seeds);
  for (let first = 1; ; ) {
    const verdict = await hunt(folder, first, last);
    const { rule, seed } = verdict;
    if (!rule || !(await violationOf(seed, Number(values.hours)))) return verdict;
    if (seed === last) return { seed };
    first = seed + 1;
  }
}

async function judge(mutant: Mutant): Promise<Result> {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1000);
  try {
    const { folder, remove } = await copied(mutant);
    try {
      return { mutant, verdict: await firstFailure(folder), seconds: seconds() };
    } finally {
      await remove();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { mutant, verdict: { message: message.slice(0, 2000) }, seconds: seconds() };
  }
}

function print({ mutant, verdict, seconds }: Result): void {
  const { rule, seed, message = "" } = verdict;
  const outcome = rule ?? (seed === undefined ? `BROKEN ${message}` : "SURVIVED");
  console.log([mutant.name.padEnd(30), outcome.padEnd(40), String(seed ?? "-").padStart(5), `${seconds} s`].join(" "));
  if (rule) console.log(`    ${message.split("\n")[0]}`);
}

const RESULTS = join(import.meta.dirname, "RESULTS.md");
const HEAD = ["mutant", "what it does", "rule", "seed"];

const rowOf = ({ mutant: { name, what }, verdict: { rule, seed } }: Result): string[] =>
  rule ? [name, what, `\`${rule}\``, `${seed}`] : [name, what, "none", "-"];

/** Writes down a result beside what was found of the others before. */
function note(result: Result, known: readonly string[]): void {
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "";
  const old = before
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| mutant ") && !line.startsWith("| -"))
    .map((line) =>
      line
        .slice(2, -2)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
  const others = old.filter(([name = ""]) => known.includes(name) && name !== result.mutant.name);
  const rows = [HEAD, ...[...others, rowOf(result)].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [head, ...found] = rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`);
  const lines = [
    "# What found the mutants",
    "",
    "Written by `npm run sim:mutants`: the first of its seeds that breaks a rule with the mutant, and none without it.",
    "",
    head,
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...found,
    "",
  ];
  writeFileSync(RESULTS, lines.join("\n"));
}

console.warn = () => undefined; // what controllers are refused is their daily life
const all = await mutants();
const queue = positionals.length > 0 ? all.filter(({ name }) => positionals.includes(name)) : [...all];
let failures = 0;
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const result = await judge(mutant);
      if (!result.verdict.rule) failures += 1;
      print(result);
      note(
        result,
        all.map(({ name }) => name),
      );
    }
  }),
);
console.log(failures === 0 ? "no mutant survived" : `${failures} of the mutants were not caught`);
process.exitCode = failures === 0 ? 0 : 1;
