/** `npm run bench`: measures Skerry and its peers on this machine, in turn, and writes RESULTS.md. See README.md. */
import { Command, InvalidArgumentError } from "commander";
import { effects } from "../../agent/effects.ts";
import { FULL, QUICK, type SideName } from "./measure.ts";
import { groupsOf } from "./measures/index.ts";
import { progress } from "./progress.ts";
import { describe, table, write } from "./report.ts";
import type { Result } from "./runner.ts";

type Options = { rounds: number; only?: RegExp; sides: SideName[]; quick?: boolean; save: boolean };

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
}

const program = new Command("bench")
  .description("Measures Skerry and its peers on this machine, in turn")
  .option("--rounds <n>", "how often each side is measured", positive, 3)
  .option("--only <pattern>", "only measures whose `group: name` matches", (text) => new RegExp(text))
  .option("--sides <names>", "of skerry, kubernetes, swarm, bare", (text) => text.split(","), [
    "skerry",
    "kubernetes",
    "swarm",
    "bare",
  ])
  .option("--quick", "tiny sizes, one round, nothing saved: does the harness work?")
  .option("--no-save", "print the table only");
program.parse();
const { rounds, only, sides, quick, save } = program.opts<Options>();

const start = effects.now();
const results: Result[] = [];
let failures = 0;
const failed = (why: string) => {
  failures++;
  progress(`failed: ${why}`);
};
for (const group of groupsOf(quick ? QUICK : FULL))
  results.push(...(await group.run({ rounds: quick ? 1 : rounds, only, sides, failed })));
process.stdout.write(`${table(results)}\n`);
progress(`took ${Math.round((effects.now() - start) / 1000)} s`);
if (save && !quick && !only && sides.length === 4)
  write(describe(new Date().toISOString().slice(0, 10), rounds, results));
process.exit(failures ? 1 : 0);
