/** Prints the memory of a node that runs no pods, a while after its start: `npm run sizes` (needs root). */
import { effects } from "../../agent/effects.ts";
import { TestCluster } from "../support/cluster.ts";
import { memoryOf } from "./processes.ts";

const IDLE_MS = 60_000;

const cluster = await TestCluster.start();
try {
  await effects.sleep(IDLE_MS);
  const parts = ["supervisor", "workerd", "agent", "containerd"] as const;
  for (const part of parts) {
    const { rss, pss } = memoryOf(part, cluster.pid(part));
    process.stdout.write(
      `${part.padEnd(11)} ${rss.toFixed().padStart(4)} MB RSS  ${pss.toFixed().padStart(4)} MB PSS\n`,
    );
  }
} finally {
  await cluster.stop();
}
