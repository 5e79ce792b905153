import { describe, expect, test } from "vitest";
import { runSeeds } from "./pool.ts";
import { SEEDS } from "./seeds.ts";
import { type Outcome, run } from "./workload/run.ts";

const GROUP = 100;
const GROUPS = 10;
/** Many small runs find more than few full ones in the same time. */
const HOURS = 0.75;
const DENSITY = 0.7;

const told = ({ seed, violation }: Outcome) =>
  `npm run sim -- --seed ${seed} --hours ${HOURS} --density ${DENSITY}: ${violation?.message}`;

test("the same seed gives the same history, in another thread too", async () => {
  const hashes = [await run({ seed: 1, hours: 0.5 }), await run({ seed: 1, hours: 0.5 })].map(({ hash }) => hash);
  await runSeeds({ seeds: [1, 1], hours: 0.5, ended: ({ hash }) => void hashes.push(hash) });
  expect(new Set(hashes).size).toBe(1);
  expect((await run({ seed: 2, hours: 0.5 })).hash).not.toBe(hashes[0]);
});

describe("what failed once holds", () => {
  for (const { name, ...options } of SEEDS)
    test(name, async () => expect((await run(options)).violation).toBeUndefined());
});

describe("every rule holds in trouble and after it, with the seeds", () => {
  let hours = 0;
  let ms = 0;
  for (let group = 0; group < GROUPS; group++) {
    const seeds: [number, number] = [group * GROUP + 1, (group + 1) * GROUP];
    test(seeds.join(" to "), async () => {
      const failed: string[] = [];
      const start = performance.now();
      await runSeeds({
        seeds,
        hours: HOURS,
        density: DENSITY,
        ended(outcome) {
          hours += outcome.hours;
          if (outcome.violation) failed.push(told(outcome));
        },
      });
      ms += performance.now() - start;
      if (group === GROUPS - 1)
        process.stdout.write(
          `sim: ${hours.toFixed(0)} virtual hours, ${((hours / ms) * 60_000).toFixed(0)} a minute\n`,
        );
      expect(failed).toEqual([]);
    });
  }
});
