import { type Outcome, run } from "../workload/run.ts";
import { scriptOf } from "../workload/script.ts";

/** Runs cost by the hour, so that much in a short one finds more than little in a long one. */
const DENSITY = 6;

/** What breaks in the run that mutants are tried with, in the sources that this is part of. */
export async function violationOf(seed: number, hours: number): Promise<Outcome["violation"]> {
  return (await run({ seed, hours, script: scriptOf(seed, hours, DENSITY) })).violation;
}
