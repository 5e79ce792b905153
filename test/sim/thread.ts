/** One thread of the pool. */
import { parentPort } from "node:worker_threads";
import type { Order } from "./pool.ts";
import { run } from "./workload/run.ts";

parentPort?.on("message", (order: Order) => {
  void run(order).then((outcome) => parentPort?.postMessage(outcome));
});
