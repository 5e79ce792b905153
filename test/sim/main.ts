/** `npm run sim`: runs seeds, on all cores; tells what broke and the least that breaks it. */
import { parseArgs } from "node:util";
import { runSeeds } from "./pool.ts";
import { shrink } from "./shrink.ts";
import { trace } from "./trace.ts";
import { type Outcome, run } from "./workload/run.ts";

const SHRINK_MS = 120_000;
const HELP = `npm run sim -- [--seed N | --seeds A..B | --soak] [--hours H] [--density D] [--trace] [--no-shrink] [--jobs N]

  --seed N       one run
  --seeds A..B   many runs; 1..1000 by default
  --soak         one seed after another until stopped
  --hours H      of virtual time in each run, 1 by default
  --density D    how much happens, as a multiple of the usual
  --trace        every event of the run, for --seed
  --no-shrink    do not look for the least that breaks a failing run
  --jobs N       how many at once; one a core by default
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      soak: { type: "boolean", default: false },
      hours: { type: "string", default: "1" },
      density: { type: "string", default: "1" },
      trace: { type: "boolean", default: false },
      "no-shrink": { type: "boolean", default: false },
      jobs: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const [first = 1, last = 1000] = values.seed
    ? [Number(values.seed), Number(values.seed)]
    : (values.seeds ?? "1..1000").split("..").map(Number);
  return {
    first,
    last: values.soak ? Number.POSITIVE_INFINITY : last,
    hours: Number(values.hours),
    density: Number(values.density),
    isTraced: values.trace,
    isShrunk: !values["no-shrink"],
    jobs: values.jobs ? Number(values.jobs) : undefined,
  };
}

const describe = ({ seed, violation }: Outcome) =>
  `seed ${seed} at ${((violation?.at ?? 0) / 1000).toFixed(1)} s: ${violation?.message.slice(0, 1500)}`;

async function tellLeast(failed: Outcome): Promise<void> {
  const end = performance.now() + SHRINK_MS;
  const { script, outcome, runs } = await shrink(failed, () => performance.now() > end);
  process.stdout.write(
    `\nThe least that breaks it (after ${runs} runs), ${script.steps.length} of ${failed.script.steps.length} steps:\n`,
  );
  for (const step of script.steps) process.stdout.write(`  ${JSON.stringify(step)}\n`);
  process.stdout.write(`${describe(outcome)}\n`);
  const { seed, hours } = failed;
  process.stdout.write(
    `\nTo keep it as a test, add to test/sim/seeds.ts:\n  { name: "…", seed: ${seed}, hours: ${Math.round(hours * 100) / 100}, script: ${JSON.stringify(script)} },\n`,
  );
}

/** Runs all seeds and returns those that failed. */
async function runAll({ first, last, hours, density, jobs }: ReturnType<typeof readOptions>): Promise<Outcome[]> {
  const failed: Outcome[] = [];
  let done = 0;
  let virtualHours = 0;
  const start = performance.now();
  const progress = () => {
    const minutes = (performance.now() - start) / 60_000;
    return `${done} runs, ${failed.length} failed; ${virtualHours.toFixed(0)} virtual hours, ${(virtualHours / minutes).toFixed(0)} a minute`;
  };
  const shown = setInterval(() => process.stderr.write(`\r${progress()}   `), 1_000);
  await runSeeds({
    seeds: [first, last],
    hours,
    density,
    ...(jobs && { jobs }),
    ended(outcome) {
      done += 1;
      virtualHours += outcome.hours;
      if (!outcome.violation) return;
      failed.push(outcome);
      process.stdout.write(`\r${describe(outcome)}\n`);
    },
  });
  clearInterval(shown);
  process.stdout.write(`\r${progress()}\n`);
  return failed;
}

async function main(): Promise<void> {
  const options = readOptions();
  let failed: Outcome[];
  if (options.isTraced) {
    const outcome = await run({
      seed: options.first,
      hours: options.hours,
      density: options.density,
      watch: (observation) => process.stdout.write(trace(observation)),
      log: (node, message) => process.stdout.write(`             ${node} says: ${message}\n`),
    });
    if (outcome.violation) process.stdout.write(`${describe(outcome)}\n`);
    failed = outcome.violation ? [outcome] : [];
  } else failed = await runAll(options);
  const [least] = failed;
  if (least && options.isShrunk) await tellLeast(least);
  process.exit(failed.length === 0 ? 0 : 1);
}

await main();
