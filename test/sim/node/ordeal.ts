import type { CoreV1Container, CoreV1PodSpec, CoreV1Probe } from "../../../worker/kinds/generated/types.ts";
import { between, pick, type Random, stream } from "../world/random.ts";
import { wrong } from "./check.ts";
import { TinyCluster } from "./testing.ts";

const IMAGES = ["app:1", "app:1", "app:latest", "flaky:1", "crash:1", "stubborn:1", "sick:1"];
const PODS = 8;
/** How long a healed node may take until all is as wanted. */
const REST_SECONDS = 900;

const probe = (random: Random): CoreV1Probe => ({
  httpGet: { port: 80 },
  periodSeconds: between(random, 1, 10),
  failureThreshold: 3,
  initialDelaySeconds: between(random, 0, 5),
});

/** Ways for a pod to be more than one container that runs. */
const SHAPES: readonly ((spec: CoreV1PodSpec, random: Random) => CoreV1PodSpec)[] = [
  (spec) => ({ ...spec, initContainers: [{ name: "first", image: "job:1" }] }),
  (spec) => ({ ...spec, initContainers: [{ name: "beside", image: "app:1", restartPolicy: "Always" }] }),
  (spec) => ({ ...spec, containers: [...spec.containers, { name: `c${spec.containers.length}`, image: "app:1" }] }),
  (spec) => ({ ...spec, shareProcessNamespace: true }),
  (spec) => ({ ...spec, hostNetwork: true }),
  (spec, random) => ({ ...spec, terminationGracePeriodSeconds: between(random, 0, 60) }),
  (spec) => changed(spec, { lifecycle: { preStop: { sleep: { seconds: 3 } }, postStart: { sleep: { seconds: 2 } } } }),
  (spec, random) => changed(spec, { livenessProbe: probe(random), readinessProbe: probe(random) }),
  (spec, random) => changed(spec, { startupProbe: probe(random) }),
  (spec) => ({ ...spec, volumes: [{ name: "v", configMap: { name: "missing", optional: true } }] }),
];

const changed = (spec: CoreV1PodSpec, fields: Partial<CoreV1Container>): CoreV1PodSpec => ({
  ...spec,
  containers: spec.containers.map((container) => ({ ...container, ...fields })),
});

function someSpec(random: Random): CoreV1PodSpec {
  if (random() < 0.2)
    return { containers: [{ name: "main", image: "job:1" }], restartPolicy: pick(random, ["Never", "OnFailure"]) };
  let spec: CoreV1PodSpec = { containers: [{ name: "main", image: pick(random, IMAGES) }] };
  while (random() < 0.4) spec = pick(random, SHAPES)(spec, random);
  return spec;
}

type Deed = (cluster: TinyCluster, random: Random) => void;

const podOf = (random: Random) => `p${between(random, 1, PODS)}`;
const run: Deed = (cluster, random) => cluster.run(podOf(random), someSpec(random));
const remove: Deed = (cluster, random) => cluster.delete(podOf(random));
const crash: Deed = ({ node }) => node.crash();
const restart: Deed = ({ node }) => {
  node.crash();
  node.start();
};
const powerOff: Deed = ({ node }) => node.powerOff();
const freeze: Deed = ({ node }, random) => node.freeze(between(random, 1_000, 90_000));
const skew: Deed = ({ node }, random) => node.skew(pick(random, [0, 0, -3_600_000, 3_600_000]));
const remember: Deed = ({ node }) => node.remember();
const restore: Deed = ({ node }) => node.restore();
const lose: Deed = ({ node }) => node.lose();
const fill: Deed = ({ node }) => node.fill(true);
const empty: Deed = ({ node }) => node.fill(false);
const cutUplink: Deed = (cluster) => cluster.cut(true);
const mendUplink: Deed = (cluster) => cluster.cut(false);
const mute: Deed = (cluster) => cluster.mute(true);
const unmute: Deed = (cluster) => cluster.mute(false);
const sicken: Deed = (cluster) => {
  cluster.sick = !cluster.sick;
};
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
  remember,
  restore,
  lose,
  fill,
  empty,
  cutUplink,
  mendUplink,
  mute,
  unmute,
  sicken,
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
  cluster.node.fill(false);
  cluster.node.skew(0);
  cluster.cut(false);
  cluster.mute(false);
  cluster.sick = false;
  await cluster.pass(REST_SECONDS);
  return { cluster, wrong: wrong(cluster) };
}
