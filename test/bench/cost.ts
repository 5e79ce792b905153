/** Meters what clusters cost on Cloudflare and writes COST.md: `npm run cost`. Takes about ten minutes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MeteredPlane } from "./cost/plane.ts";
import { page, type Result } from "./cost/report.ts";
import { SCENARIOS } from "./cost/scenarios.ts";

/** Words that the titles must contain choose some scenarios; the page is then only printed. */
const wanted = process.argv[2];
const results: Result[] = [];
for (const scenario of SCENARIOS.filter(({ title }) => !wanted || title.includes(wanted))) {
  process.stderr.write(`cost: ${scenario.title}\n`);
  const plane = await MeteredPlane.start();
  try {
    results.push({ scenario, usage: await scenario.run(plane) });
  } finally {
    await plane.stop();
  }
}
const text = page(results);
process.stdout.write(text);
if (!wanted) writeFileSync(join(import.meta.dirname, "COST.md"), text);
