/** `npm run torture -- [--rounds 500] [--seed 1]`: pods come and go while their agent is killed; nothing may be left. */
import { parseArgs } from "node:util";
import { TestCluster } from "./support/cluster.ts";
import { torture } from "./support/torture.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "500" }, seed: { type: "string", default: "1" } },
});
const log = (message: string) => process.stdout.write(`torture: ${message}\n`);
const cluster = await TestCluster.start();
let failed = true;
try {
  const { before, after, kills } = await torture(cluster, {
    rounds: Number(values.rounds),
    seed: Number(values.seed),
    log,
  });
  failed = JSON.stringify(before) !== JSON.stringify(after);
  log(`${values.rounds} pods, the agent killed ${kills} times; before and after:`);
  log(JSON.stringify(before));
  log(JSON.stringify(after));
  log(failed ? "something is left" : "nothing is left");
} finally {
  if (failed) log(cluster.logs());
  await cluster.stop();
}
process.exit(failed ? 1 : 0);
