/** Runs seeds until one fails, and says which rule it was. To be run in the sources that are to be judged. */
import { violationOf } from "./violation.ts";

/** `seed` is the first that failed; without `rule` all of them passed. */
export type Verdict = { rule?: string; message?: string; seed: number };

const [first = "1", last = "1000", hours = "1"] = process.argv.slice(2);
console.warn = () => undefined; // what controllers are refused is their daily life
console.error = () => undefined;

let verdict: Verdict = { seed: Number(last) };
for (let seed = Number(first); seed <= Number(last); seed++) {
  const violation = await violationOf(seed, Number(hours));
  if (!violation) continue;
  verdict = { rule: violation.rule, message: violation.message, seed };
  break;
}
console.log(JSON.stringify(verdict));
