/** One thread of the pool. */
import { parentPort } from "node:worker_threads";
import type { Order } from "./pool.ts";
import { run } from "./workload/run.ts";

parentPort?.on("message", ({ seed, hours }: Order) => {
  void run({ seed, hours }).then((outcome) => parentPort?.postMessage(outcome));
});
