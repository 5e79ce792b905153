/** Makes a failing run small: leaves out clients' deeds and faults as long as the same rule is still broken. */
import { type Outcome, run } from "./workload/run.ts";
import type { Script, Step } from "./workload/script.ts";

export type Shrunk = { script: Script; outcome: Outcome; runs: number };

/** `isOver` tells when enough time was spent. */
export async function shrink(failed: Outcome, isOver: () => boolean): Promise<Shrunk> {
  const { seed, hours } = failed;
  let best: Shrunk = { script: failed.script, outcome: failed, runs: 0 };

  async function fails(script: Script): Promise<boolean> {
    best.runs += 1;
    const outcome = await run({ seed, hours, script });
    if (outcome.violation?.rule !== failed.violation?.rule) return false;
    best = { script, outcome, runs: best.runs };
    return true;
  }
  const steps = (left: readonly Step[]) => fails({ ...best.script, steps: left });

  const at = failed.violation?.at ?? 0;
  await steps(best.script.steps.filter((step) => step.at <= at));
  // Delta debugging: drop ever smaller pieces.
  for (let size = Math.ceil(best.script.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.script.steps.length && !isOver(); ) {
      const left = best.script.steps.toSpliced(from, size);
      if (!(await steps(left))) from += size;
    }
  }
  for (let nodes = best.script.nodes - 1; nodes >= 1 && !isOver(); nodes--)
    if (!(await fails({ ...best.script, nodes }))) break;
  return best;
}
