/**
 * `npm run conformance`: the upstream conformance suite against a fresh cluster of this stack.
 *
 *   -- --group NAME,…     tests of these groups (groups.ts); by default the conformance tests and those of the API's areas
 *   -- --focus REGEX      only tests whose name matches, of any group unless some are named
 *   -- --failed           only tests that failed last time or were never run
 *   -- --resume           go on with a run that was interrupted
 *   -- --part             the subset of the passing tests that `npm test` runs
 *   -- --processes N      tests at once (default 3); [Serial] ones always run alone
 *   -- --kubeconfig PATH  against a cluster that is there already
 *   -- --cluster          only start the cluster, and keep it until Ctrl-C
 *   -- --nodes N          of the cluster (default 2): each has the machine's processors, and pods of some groups ask for many
 *   -- --report FILE      also write how many passed and failed, and the names of these, as JSON
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { effects } from "../../agent/effects.ts";
import { cachePath } from "../../agent/local/home.ts";
import { batches, choosePart, isSerial } from "./choose.ts";
import { startCluster } from "./cluster.ts";
import { runGatewayTests } from "./gateway.ts";
import { DUAL_STACK, GATEWAY, GROUPS, groupOf, isConformance, leftOut, USUAL } from "./groups.ts";
import { GATEWAY_IMAGES, IMAGES, imageArchive } from "./images.ts";
import {
  addPassing,
  areaOf,
  type Result,
  readPassing,
  readResults,
  readSample,
  table,
  writeResults,
  writeTables,
} from "./results.ts";
import { prepare, runTests, type Suite, suiteTests } from "./suite.ts";

const FOLDER = join(cachePath(process.env), "conformance");
const LOGS = join(FOLDER, "logs");
/** The results of a run so far, one JSON value a line. */
const JOURNAL = join(FOLDER, "journal.jsonl");
const PART_SECONDS = 9 * 60;

/** Between the tables. */
const BEYOND = "The others of some areas, by group. Not run is what has never been, or skips itself on such a cluster:";
const LEFT_OUT = "No group has these of the same areas, each for the first reason that it fits:";

const progress = (message: string) => process.stdout.write(`conformance: ${message}\n`);

const { values: options } = parseArgs({
  options: {
    group: { type: "string" },
    focus: { type: "string" },
    failed: { type: "boolean", default: false },
    resume: { type: "boolean", default: false },
    part: { type: "boolean", default: false },
    processes: { type: "string", default: "3" },
    kubeconfig: { type: "string" },
    cluster: { type: "boolean", default: false },
    nodes: { type: "string", default: "2" },
    report: { type: "string" },
  },
});
const processes = Number(options.processes);
const groups = options.group?.split(",") ?? (options.focus === undefined ? USUAL : GROUPS);
/** Its suite runs as a whole. */
const withGateway = options.group !== undefined && groups.includes(GATEWAY);
for (const name of groups)
  if (!GROUPS.includes(name)) throw new Error(`no group ${name}; there are ${GROUPS.join(", ")}`);

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
  const suite = await prepare(kubeconfig, LOGS, progress);
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
  if (options.part) return choosePart(readPassing(), readSample(), known, processes, PART_SECONDS);
  const focus = new RegExp(options.focus ?? "");
  return all.filter(
    (name) => groups.includes(groupOf(name) ?? "") && focus.test(name) && !(options.failed && known.get(name)?.passed),
  );
}

/** Writes down what is new. A partial run says nothing of the other tests; `npm test` changes no file. */
function record(listed: readonly string[], fresh: readonly Result[]): void {
  const results = readResults();
  for (const result of fresh) results.set(result.name, result);
  writeResults(results);
  addPassing(fresh);
  const all = listed.filter(groupOf);
  const others = [...all, ...[...results.keys()].filter((name) => groupOf(name) === GATEWAY)].filter(
    (name) => !isConformance(name),
  );
  writeTables([
    table(all.filter(isConformance), results, areaOf),
    BEYOND,
    table(others, results, (name) => groupOf(name) ?? ""),
    LEFT_OUT,
    leftOut(listed),
  ]);
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

/** Of the images that the groups need. */
async function archives(): Promise<string[]> {
  const usual = await imageArchive("images", IMAGES, progress);
  return withGateway ? [usual, await imageArchive("gateway-images", GATEWAY_IMAGES, progress)] : [usual];
}

async function main(): Promise<number> {
  mkdirSync(FOLDER, { recursive: true });
  const listed = await suiteTests(progress);
  const all = listed.filter(groupOf);
  const before = journal();
  const names = wanted(all).filter((name) => !before.some((result) => result.name === name));
  const dualStack = names.some((name) => groupOf(name) === DUAL_STACK);
  const cluster = options.kubeconfig
    ? undefined
    : await startCluster({ nodes: Number(options.nodes), dualStack, archives: await archives() }, progress);
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
    if (withGateway) fresh.push(...(await runGatewayTests(kubeconfig, LOGS, progress)));
    const broken = judge(fresh);
    if (!options.part) record(listed, fresh);
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
