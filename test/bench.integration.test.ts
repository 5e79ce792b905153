/** The benchmarks' harness works: tiny sizes, against Skerry alone. What it measures is not judged here. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../agent/process.ts";
import { QUICK } from "./bench/measure.ts";
import { groupsOf } from "./bench/measures/index.ts";

const MAIN = join(import.meta.dirname, "bench/main.ts");
/** Model nodes are left out: building them takes minutes. */
const GROUPS = ["api", "memory", "containers"];
const TIMEOUT_MS = 1_000_000;

test("npm run bench -- --quick measures everything of its table", async () => {
  const args = [MAIN, "--quick", "--sides", "skerry", "--only", `^(${GROUPS.join("|")}):`];
  const { code, stdout, stderr } = await run(process.execPath, args, { timeoutMs: TIMEOUT_MS });
  expect(code, stderr).toBe(0);
  const rows = stdout.split("\n").map((row) => row.split("|").map((cell) => cell.trim()));
  const measured = new Map(rows.map(([, name, , ours]) => [name, Number(ours?.replaceAll(",", ""))]));
  for (const { name, measures } of groupsOf(QUICK))
    for (const measure of GROUPS.includes(name) ? measures : [])
      expect(measured.get(measure), measure).toBeGreaterThan(0);
});
