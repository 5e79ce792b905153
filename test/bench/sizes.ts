/** Prints the memory of a node that runs no pods, a while after its start: `npm run sizes` (needs root). */
import { readFileSync } from "node:fs";
import { effects } from "../../agent/effects.ts";
import { TestCluster } from "../support/cluster.ts";

const IDLE_MS = 60_000;

/** Of one process, in MB: what it holds of the machine's memory, and its share when shared pages are divided. */
function memoryOf(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (name: string) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024);
  return { rss: megabytes("Rss"), pss: megabytes("Pss") };
}

const cluster = await TestCluster.start();
try {
  await effects.sleep(IDLE_MS);
  const parts = ["supervisor", "workerd", "agent", "containerd"] as const;
  for (const part of parts) {
    const { rss, pss } = memoryOf(cluster.pid(part));
    process.stdout.write(`${part.padEnd(11)} ${String(rss).padStart(4)} MB RSS  ${String(pss).padStart(4)} MB PSS\n`);
  }
} finally {
  await cluster.stop();
}
