/** Runs on all cores: one thread each, which runs one seed after another. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Outcome } from "./workload/run.ts";

export type Order = { seed: number; hours: number; density: number };

export type PoolOptions = {
  /** First and last. */
  seeds: readonly [number, number];
  hours: number;
  density?: number;
  jobs?: number;
  ended(outcome: Outcome): void;
};

/** Nearly all that a run makes is short-lived: with room for it a tenth of the time goes less into collecting it. */
const resourceLimits = { maxYoungGenerationSizeMb: 96 };

export async function runSeeds({ seeds: [first, last], hours, density = 1, ended, jobs }: PoolOptions): Promise<void> {
  let next = first;
  const work = async () => {
    const worker = new Worker(new URL("thread.ts", import.meta.url), { resourceLimits });
    try {
      while (next <= last) ended(await order(worker, { seed: next++, hours, density }));
    } finally {
      await worker.terminate();
    }
  };
  const threads = Math.min(jobs ?? availableParallelism(), last - first + 1);
  await Promise.all(Array.from({ length: threads }, work));
}

function order(worker: Worker, what: Order): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.postMessage(what);
  });
}
