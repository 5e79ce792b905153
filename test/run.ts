/** `npm test`: everything, on a fresh machine. Closes with `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cachePath } from "../agent/local/home.ts";
import { ensureTools } from "../agent/local/install.ts";
import { spawn } from "../agent/process.ts";
import { ensurePackages } from "./support/programs.ts";

const ROOT = join(import.meta.dirname, "..");
const progress = (message: string) => process.stdout.write(`test: ${message}\n`);

/** Runs in the foreground; the exit code. */
function foreground(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { cwd: ROOT, stdio: "inherit" });
  return new Promise((resolve) => {
    child.on("error", () => resolve(127));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

type Counts = { passed: number; failed: number; skipped: number };

/** What is read of vitest's JSON report. */
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numFailedTestSuites: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
};

/** What failed, told once more at the end: a log this long may be kept by its end only. */
const failures: string[] = [];

/** What failed beside the others and passed alone: still a fault, of the test or of the product. */
const unsteady: string[] = [];

function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0) return status === "failed" ? [`${name}: ${message}`] : [];
    return failed.map(({ fullName, failureMessages }) => `${name}: ${fullName}: ${failureMessages.join("\n")}`);
  });
}

/** One vitest project, or files of it; undefined when it left no report. */
async function vitest(name: string, files: readonly string[] = []): Promise<(Report & { code: number }) | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "skerry-report-"));
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await foreground("vitest", ["run", "--project", name, ...reporters, ...files]);
  try {
    return { ...(JSON.parse(readFileSync(report, "utf8")) as Report), code };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counted from vitest's own report. A run without a test is a failure, and so is a file that did not even load. */
function countsOf(report: (Report & { code: number }) | undefined): Counts {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const { code, numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = report;
  const failed = numFailedTests || numFailedTestSuites || (code !== 0 || numPassedTests === 0 ? 1 : 0);
  return { passed: numPassedTests, failed, skipped: numPendingTests };
}

/**
 * Among hundreds of tests of real processes, now and then one fails of what only this machine did: a file of them that
 * fails is run once more, alone, as a whole. Its first failure is told at the end. What is broken fails twice; more files
 * than this in all, and the fault is no chance.
 */
let secondTries = 2;

/** One vitest project. With `mayTryTwice`, a file that fails gets the second try of `secondTries`. */
async function project(name: string, mayTryTwice: boolean): Promise<Counts> {
  progress(`${name} tests`);
  const first = await vitest(name);
  const counts = countsOf(first);
  const failed = first?.testResults.filter(({ status }) => status === "failed") ?? [];
  if (!first || !mayTryTwice || failed.length === 0 || failed.length > secondTries) {
    if (first) failures.push(...failuresOf(first));
    return counts;
  }
  secondTries -= failed.length;
  const files = failed.map((file) => file.name);
  progress(`once more, alone: ${files.join(", ")}`);
  const second = await vitest(name, files);
  const again = countsOf(second);
  if (second) failures.push(...failuresOf(second));
  if (again.failed === 0) unsteady.push(...failuresOf(first));
  const ofFailed = (status: string) =>
    failed.flatMap((file) => file.assertionResults).filter((test) => test.status === status).length;
  return {
    passed: counts.passed - ofFailed("passed") + again.passed,
    failed: again.failed,
    skipped: counts.skipped - ofFailed("pending") - ofFailed("skipped") + again.skipped,
  };
}

/** A part of the conformance tests that passed before. A run without a test is a failure. */
async function conformance(): Promise<Counts> {
  progress("conformance tests");
  const folder = mkdtempSync(join(tmpdir(), "skerry-report-"));
  const report = join(folder, "report.json");
  try {
    await foreground(process.execPath, ["test/conformance/run.ts", "--part", "--report", report]);
    const {
      passed,
      failed,
      failures: told,
    } = JSON.parse(readFileSync(report, "utf8")) as Counts & {
      failures: string[];
    };
    failures.push(...told);
    return { passed, failed: passed + failed === 0 ? 1 : failed, skipped: 0 };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.getuid?.() !== 0) {
  progress("the tests start real containers and network namespaces: run them as root");
  process.exit(1);
}
await ensurePackages({
  "/bin/busybox": "busybox-static",
  unzip: "unzip",
  conntrack: "conntrack",
  wg: "wireguard-tools",
  "wireguard-go": "wireguard-go",
  chromium: "chromium",
});
await ensureTools(cachePath(process.env), progress);

const counts: Counts[] = [];
for (const check of ["types", "lint"]) {
  progress(check);
  const code = await foreground("npm", ["run", "--silent", check]);
  if (code !== 0) failures.push(check);
  counts.push({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
}
for (const name of ["unit", "sim"]) counts.push(await project(name, false));
for (const name of ["integration", "kubectl", "page", "clients"]) counts.push(await project(name, true));
counts.push(await conformance());

const sum = (pick: keyof Counts) => counts.reduce((total, count) => total + count[pick], 0);
const skipped = sum("skipped");
for (const failure of unsteady) process.stdout.write(`\npassed at the second try: ${failure.slice(0, 2000)}\n`);
for (const failure of failures) process.stdout.write(`\nfailed: ${failure.slice(0, 2000)}\n`);
process.stdout.write(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped ? `, ${skipped} skipped` : ""}\n`);
process.exit(sum("failed") === 0 ? 0 : 1);
