/** e2e.test of Kubernetes: which conformance tests there are, and a run of some of them by one process. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import type { Progress } from "../../agent/local/install.ts";
import { run } from "../../agent/process.ts";
import { checked } from "../support/programs.ts";
import { upstreamProgram } from "../support/upstream.ts";
import { isLong } from "./choose.ts";
import type { Result } from "./results.ts";

/** The suite interrupts what still runs after so long. Its own waits end before; the longest take ten minutes. */
const BATCH_TIMEOUT_MS = 15 * 60_000;
/** Tests of autoscalers wait up to 15 minutes for each of two scalings, and look for ten whether the first lasts. */
const SLOW_BATCH_TIMEOUT_MS = 45 * 60_000;
const timeoutOf = (names: readonly string[]) => (names.some(isLong) ? SLOW_BATCH_TIMEOUT_MS : BATCH_TIMEOUT_MS);
/** An interrupted test still takes down what it has made. */
const CLEANUP_MS = 3 * 60_000;

export type Suite = {
  program: string;
  kubectl: string;
  kubeconfig: string;
  /** Logs of tests that failed are kept here. */
  logs: string;
};

/** The parts of Ginkgo's JSON report that matter here. Times are in ns. */
type Report = { SpecReports: Spec[] | null }[];
type Spec = {
  ContainerHierarchyTexts: string[] | null;
  LeafNodeType: string;
  LeafNodeText: string;
  State: string;
  RunTime: number;
  Failure?: { Message?: string };
};

export async function prepare(kubeconfig: string, logs: string, progress: Progress): Promise<Suite> {
  const program = await upstreamProgram("e2e.test", progress);
  const kubectl = await upstreamProgram("kubectl", progress);
  mkdirSync(logs, { recursive: true });
  return { program, kubectl, kubeconfig, logs };
}

/** The full names of all that the suite has, sorted. */
export async function suiteTests(progress: Progress): Promise<string[]> {
  const { stdout } = await checked(await upstreamProgram("e2e.test", progress), ["--list-tests"]);
  return [...stdout.matchAll(/^\s+\S+\.go:\d+: (\[.*)$/gm)].map(([, name = ""]) => name).toSorted();
}

/** Runs these tests one after another in one process. A test that the process did not come to has no result. */
export async function runTests(suite: Suite, names: readonly string[], slot: number): Promise<Result[]> {
  const report = join(suite.logs, `${slot}.json`);
  rmSync(report, { force: true });
  const started = effects.now();
  const done = await run(suite.program, argumentsFor(suite, names, report), {
    cwd: suite.logs,
    timeoutMs: timeoutOf(names) + CLEANUP_MS,
  });
  const results = readReport(report, new Set(names));
  const fine = new Set(results.flatMap(({ name, passed }) => (passed ? name : [])));
  for (const name of names.filter((one) => !fine.has(one)))
    writeFileSync(join(suite.logs, `${name.replace(/\W+/g, "-").slice(0, 200)}.log`), done.stdout + done.stderr);
  if (names.length > 1 || results.length === 1) return results;
  const seconds = Math.round((effects.now() - started) / 1000);
  const last = (done.stderr || done.stdout).trim().split("\n").at(-1) ?? "";
  return names.map((name) => ({ name, passed: false, seconds, why: `e2e.test ended with ${done.code}: ${last}` }));
}

function argumentsFor({ kubeconfig, kubectl }: Suite, names: readonly string[], report: string): string[] {
  return [
    "--provider=skeleton",
    `--kubeconfig=${kubeconfig}`,
    `--kubectl-path=${kubectl}`,
    `--ginkgo.focus=(${names.map(quote).join("|")})$`,
    `--ginkgo.json-report=${report}`,
    `--ginkgo.timeout=${timeoutOf(names)}ms`,
    "--ginkgo.no-color",
    "--ginkgo.silence-skips",
  ];
}

const quote = (text: string) => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

function readReport(path: string, names: ReadonlySet<string>): Result[] {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return []; // the process ended before it wrote one
  }
  rmSync(path);
  return report.flatMap(({ SpecReports }) => resultsOf(SpecReports ?? [], names));
}

/** The results of the wanted tests. One that was left out because the time was up has none. */
export function resultsOf(specs: readonly Spec[], names: ReadonlySet<string>): Result[] {
  return specs.flatMap((spec) => {
    const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" ");
    const message = spec.Failure?.Message ?? "";
    if (spec.LeafNodeType !== "It" || !names.has(name) || (spec.State === "skipped" && message === "")) return [];
    const passed = spec.State === "passed";
    const seconds = Math.round(spec.RunTime / 1e9);
    return [
      { name, passed, seconds, why: passed ? "" : `${spec.State === "failed" ? "" : `${spec.State}: `}${message}` },
    ];
  });
}
