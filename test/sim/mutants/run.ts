/**
 * Proves that the simulator finds bugs: each mutant must fail within a thousand seeds. Writes what was found to
 * RESULTS.md, when all were tried.
 * `npm run sim:mutants -- [--hours H] [--seeds N] [--jobs N] [NAME …]`
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Verdict } from "./hunt.ts";
import { copied, exec, type Mutant, mutants } from "./patches.ts";

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
    if (!rule || !(await hunt(sound.folder, seed, seed)).rule) return verdict;
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

/** The table of all mutants, in their order. */
function tableOf(results: readonly Result[]): string {
  const rows = [
    ["mutant", "what it does", "rule", "seed"],
    ...results.map(({ mutant: { name, what }, verdict: { rule, seed } }) =>
      rule ? [name, what, `\`${rule}\``, `${seed}`] : [name, what, "none", "-"],
    ),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [head = "", ...others] = rows.map(
    (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`,
  );
  return [
    "# What found the mutants",
    "",
    `Written by \`npm run sim:mutants\`: the first seed, of those from 1 to ${values.seeds} of ${values.hours} hours each, that breaks a`,
    "rule with the mutant and none without it.",
    "",
    head,
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...others,
    "",
  ].join("\n");
}

const all = await mutants();
const sound = await copied();
const chosen = positionals.length > 0 ? all.filter(({ name }) => positionals.includes(name)) : all;
const queue = [...chosen];
const results: Result[] = [];
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const result = await judge(mutant);
      results.push(result);
      print(result);
    }
  }),
);
await sound.remove();
const failures = results.filter(({ verdict }) => !verdict.rule).length;
if (chosen.length === all.length) {
  const inOrder = results.toSorted((a, b) => (a.mutant.name < b.mutant.name ? -1 : 1));
  await writeFile(join(import.meta.dirname, "RESULTS.md"), tableOf(inOrder));
}
console.log(failures === 0 ? "no mutant survived" : `${failures} of the mutants were not caught`);
process.exitCode = failures === 0 ? 0 : 1;
