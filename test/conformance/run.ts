/**
 * `npm run conformance`: the upstream conformance suite against a fresh cluster of this stack.
 *
 *   -- --focus REGEX      only tests whose name matches
 *   -- --failed           only tests that failed last time or were never run
 *   -- --resume           go on with a run that was interrupted
 *   -- --part             the subset of the passing tests that `npm test` runs
 *   -- --processes N      tests at once (default 3); [Serial] ones always run alone
 *   -- --kubeconfig PATH  against a cluster that is there already
 *   -- --cluster          only start the cluster, and keep it until Ctrl-C
 *   -- --report FILE      also write how many passed and failed, and the names of these, as JSON
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { effects } from "../../agent/effects.ts";
import { cachePath } from "../../agent/local/home.ts";
import { batches, choosePart, isSerial } from "./choose.ts";
import { startCluster } from "./cluster.ts";
import { addPassing, type Result, readPassing, readResults, table, writeResults, writeTable } from "./results.ts";
import { isConformance, prepare, runTests, type Suite, suiteTests } from "./suite.ts";

const FOLDER = join(cachePath(process.env), "conformance");
/** The results of a run so far, one JSON value a line. */
const JOURNAL = join(FOLDER, "journal.jsonl");
const PART_SECONDS = 9 * 60;

/** Between the two tables. */
const BEYOND = "Of these areas the others as well, as far as a cluster of default features has what they are about:";

const progress = (message: string) => process.stdout.write(`conformance: ${message}\n`);

const { values: options } = parseArgs({
  options: {
    focus: { type: "string" },
    failed: { type: "boolean", default: false },
    resume: { type: "boolean", default: false },
    part: { type: "boolean", default: false },
    processes: { type: "string", default: "3" },
    kubeconfig: { type: "string" },
    cluster: { type: "boolean", default: false },
    report: { type: "string" },
  },
});
const processes = Number(options.processes);

/** Runs one queue of batches by several processes. What a batch did not come to runs again, alone. */
async function drain(suite: Suite, queue: string[][], workers: number, done: (result: Result) => void): Promise<void> {
  const work = async (slot: number) => {
    for (let names = queue.shift(); names; names = queue.shift()) {
      const results = await runTests(suite, names, slot);
      results.forEach(done);
      const missing = names.filter((name) => !results.some((result) => result.name === name));
      queue.push(...missing.map((name) => [name]));
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, slot) => work(slot)));
}

async function runAll(kubeconfig: string, names: readonly string[]): Promise<Result[]> {
  const suite = await prepare(kubeconfig, join(FOLDER, "logs"), progress);
  const known = readResults();
  const results = new Map<string, Result>();
  const done = (result: Result) => {
    results.set(result.name, result);
    appendFileSync(JOURNAL, `${JSON.stringify(result)}\n`);
    const failed = [...results.values()].filter(({ passed }) => !passed).length;
    const { passed, seconds, name, why } = result;
    progress(`${results.size}/${names.length}, ${failed} failed: ${passed ? "passed" : "FAILED"} ${seconds} s ${name}`);
    if (!passed) progress(`    ${why.trim().split("\n").slice(0, 4).join("\n    ")}`);
  };
  const parallel = names.filter((name) => !isSerial(name));
  await drain(suite, batches(parallel, known), processes, done);
  await drain(suite, batches(names.filter(isSerial), known), 1, done);
  const again = broken([...results.values()]).map(({ name }) => name);
  if (again.length > 0) progress(`${again.length} passed before and failed now: once more, alone`);
  await drain(suite, batches(again, new Map()), 1, done);
  return [...results.values()];
}

function journal(): Result[] {
  if (!options.resume || !existsSync(JOURNAL)) return [];
  return readFileSync(JOURNAL, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Result);
}

function wanted(all: readonly string[]): string[] {
  const known = readResults();
  if (options.part) return choosePart(readPassing(), known, processes, PART_SECONDS);
  const focus = new RegExp(options.focus ?? "");
  return all.filter((name) => focus.test(name) && !(options.failed && known.get(name)?.passed));
}

/** Writes down what is new. A partial run says nothing of the other tests; `npm test` changes no file. */
function record(all: readonly string[], fresh: readonly Result[]): void {
  const results = readResults();
  for (const result of fresh) results.set(result.name, result);
  writeResults(results);
  addPassing(fresh);
  const [conformance, others] = [all.filter(isConformance), all.filter((name) => !isConformance(name))];
  writeTable(`${table(conformance, results)}\n\n${BEYOND}\n\n${table(others, results)}`);
}

/** Tests that must pass and did not. */
function broken(fresh: readonly Result[]): Result[] {
  const mustPass = new Set(readPassing());
  return fresh.filter(({ name, passed }) => !passed && mustPass.has(name));
}

/** Tells and returns how many of them there are. */
function judge(fresh: readonly Result[]): number {
  const wrong = broken(fresh);
  for (const { name, why } of wrong) progress(`passed before and fails now: ${name}\n    ${why.trim().slice(0, 2000)}`);
  return wrong.length;
}

async function main(): Promise<number> {
  mkdirSync(FOLDER, { recursive: true });
  const all = await suiteTests(progress);
  const before = journal();
  const names = wanted(all).filter((name) => !before.some((result) => result.name === name));
  const cluster = options.kubeconfig ? undefined : await startCluster(progress);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, async () => {
      await cluster?.stop();
      process.exit(130);
    });
  try {
    const kubeconfig = options.kubeconfig ?? cluster?.kubeconfig ?? "";
    if (options.cluster) {
      progress(`the cluster runs; its kubeconfig is ${kubeconfig}`);
      for (;;) await effects.sleep(60_000);
    }
    if (!options.resume && !options.part) rmSync(JOURNAL, { force: true });
    progress(`running ${names.length} of ${all.length} tests`);
    const fresh = [...before, ...(await runAll(kubeconfig, names))];
    const broken = judge(fresh);
    if (!options.part) record(all, fresh);
    const passed = fresh.filter((result) => result.passed).length;
    const failures = fresh.filter((result) => !result.passed).map(({ name, why }) => `${name}: ${why.trim()}`);
    if (options.report) writeFileSync(options.report, JSON.stringify({ passed, failed: failures.length, failures }));
    progress(`${passed} passed, ${fresh.length - passed} failed, of which ${broken} passed before`);
    return fresh.length === 0 || broken > 0 ? 1 : 0;
  } finally {
    await cluster?.stop();
  }
}

process.exit(await main());
