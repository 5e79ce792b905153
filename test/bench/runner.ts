/** Runs groups in rounds, the sides in turn: A B A B A B, so that what else the machine does falls on both alike. */
import { effects } from "../../agent/effects.ts";
import type { Goal, Group, Measure, SideName, Started, Unit } from "./measure.ts";
import { progress } from "./progress.ts";

/** One measured value. `round` counts from 1. */
export type Sample = { side: SideName; round: number; value: number };

export type Result = { group: string; name: string; unit: Unit; goal: Goal; samples: Sample[] };

/** A group whose systems are its own business. */
export type AnyGroup = { name: string; measures: readonly string[]; run(options: RunOptions): Promise<Result[]> };

export type RunOptions = {
  rounds: number;
  only: RegExp | undefined;
  sides: readonly SideName[];
  /** Told of what could not be measured. */
  failed(why: string): void;
};

export const group = <System extends Started>(definition: Group<System>): AnyGroup => ({
  name: definition.name,
  measures: definition.measures.map(({ name }) => name),
  run: (options) => runGroup(definition, options),
});

async function runGroup<System extends Started>(
  { name, sides, measures }: Group<System>,
  { rounds, only, sides: wanted, failed }: RunOptions,
): Promise<Result[]> {
  const chosen = measures.filter((measure) => !only || only.test(`${name}: ${measure.name}`));
  const results = chosen.map(({ name: measure, unit, goal }): Result => {
    return { group: name, name: measure, unit, goal, samples: [] };
  });
  if (chosen.length === 0) return [];
  for (let round = 1; round <= rounds; round++) {
    for (const side of wanted) {
      const start = sides[side];
      if (!start) continue;
      progress(`${name}, round ${round} of ${rounds}: ${side}`);
      try {
        await measureAll(await start(), chosen, (i, value) => {
          results[i]?.samples.push({ side, round, value });
          progress(`  ${side}: ${chosen[i]?.name}: ${value.toPrecision(4)} ${chosen[i]?.unit}`);
        });
      } catch (error) {
        // What else was measured is worth its place in the table.
        failed(`${name}, round ${round}, ${side}: ${error instanceof Error ? error.message : error}`);
      }
      await effects.sleep(500); // what it held is given back
    }
  }
  return results;
}

async function measureAll<System extends Started>(
  system: System,
  measures: readonly Measure<System>[],
  found: (i: number, value: number) => void,
): Promise<void> {
  try {
    for (const [i, measure] of measures.entries()) found(i, await measure.run(system));
  } finally {
    await system.stop();
  }
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 ? middle : middle - 1], sorted[middle]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

export type Judged = { ours: number | undefined; peer: number | undefined; ratio: number | undefined; met?: boolean };

/** Medians of Skerry and of one peer, the first divided by the second, and whether the goal is met (absent: not comparable). */
export function judge({ goal, samples }: Result, peerName: SideName | undefined): Judged {
  const of = (name: SideName | undefined) =>
    median(samples.filter(({ side }) => side === name).map(({ value }) => value));
  const [ours, peer] = [of("skerry"), of(peerName)];
  const ratio = ours !== undefined && peer ? ours / peer : undefined;
  const judged = goal.of === "ratio" ? ratio : ours;
  if (judged === undefined) return { ours, peer, ratio };
  return { ours, peer, ratio, met: "atLeast" in goal ? judged >= goal.atLeast : judged <= goal.atMost };
}
