import { between, pick, type Random, stream } from "../world/random.ts";
import { TinyCluster } from "./testing.ts";

const IMAGES = ["app:1", "app:1", "app:latest", "job:1", "flaky:1", "crash:1", "stubborn:1", "sick:1"];
const PODS = 8;
/** How long a healed node may take until all is as wanted. */
const REST_SECONDS = 900;

type Deed = (cluster: TinyCluster, random: Random) => void;

const podOf = (random: Random) => `p${between(random, 1, PODS)}`;
const run: Deed = (cluster, random) => cluster.run(podOf(random), pick(random, IMAGES));
const remove: Deed = (cluster, random) => cluster.delete(podOf(random));
const crash: Deed = ({ node }) => node.crash();
const restart: Deed = ({ node }) => {
  node.crash();
  node.start();
};
const powerOff: Deed = ({ node }) => node.powerOff();
const freeze: Deed = ({ node }, random) => node.freeze(between(random, 1_000, 90_000));
const skew: Deed = ({ node }, random) => node.skew(pick(random, [0, 0, -3_600_000, 3_600_000]));
const cutUplink: Deed = (cluster) => cluster.cut(true);
const mendUplink: Deed = (cluster) => cluster.cut(false);
const DEEDS: readonly Deed[] = [
  run,
  run,
  run,
  remove,
  remove,
  crash,
  restart,
  restart,
  powerOff,
  freeze,
  skew,
  cutUplink,
  mendUplink,
];

/** Hurts one node for a while, then heals it and waits. What is wrong then is returned. */
export async function ordeal(seed: number): Promise<{ cluster: TinyCluster; wrong: string[] }> {
  const random = stream(seed, "ordeal");
  const cluster = new TinyCluster(seed);
  cluster.node.start();
  await cluster.pass(5);
  cluster.node.trouble(true);
  for (let i = 0; i < 40; i++) {
    const deed = pick(random, DEEDS);
    cluster.note(`== ${deed.name}`);
    deed(cluster, random);
    // Some deeds meet the agent in the middle of something.
    await cluster.pass((random() < 0.3 ? between(random, 1, 1_000) : between(random, 1_000, 60_000)) / 1_000);
    cluster.node.start();
  }
  cluster.note("== heal");
  cluster.node.trouble(false);
  cluster.node.skew(0);
  cluster.cut(false);
  await cluster.pass(REST_SECONDS);
  return { cluster, wrong: [...cluster.breaks, ...cluster.wrong()] };
}
