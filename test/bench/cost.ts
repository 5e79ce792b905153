/**
 * Meters what clusters cost on Cloudflare and writes COST.md: `npm run cost [-- WORDS]`. All takes about fifteen
 * minutes; WORDS choose the scenarios whose titles contain them, and the others keep what was metered before.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MeteredPlane } from "./cost/plane.ts";
import { page } from "./cost/report.ts";
import { type Metered, SCENARIOS } from "./cost/scenarios.ts";

const RESULTS = join(import.meta.dirname, "results/cost.json");

/** By the scenario's title. */
const results: Record<string, Metered> = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : {};
const words = process.argv.slice(2).join(" ");
for (const { title, run } of SCENARIOS.filter((scenario) => scenario.title.includes(words))) {
  process.stderr.write(`cost: ${title}\n`);
  const plane = await MeteredPlane.start();
  try {
    results[title] = await run(plane);
  } finally {
    await plane.stop();
  }
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
}
const known = SCENARIOS.flatMap((scenario) => {
  const usage = results[scenario.title];
  return usage ? [{ scenario, usage }] : [];
});
writeFileSync(join(import.meta.dirname, "COST.md"), page(known));
process.stdout.write(page(known));
