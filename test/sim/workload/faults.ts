import { between, pick, type Random } from "../world/random.ts";
import { CLIENTS, type Fault } from "./script.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

type Make = (random: Random, nodes: number) => Fault;

const short = (random: Random) => between(random, 1, 60) * SECOND_MS;
/** Also longer than a node may be away, and than pods may wait for it. */
const long = (random: Random) => pick(random, [20, 45, 90, 200, 400]) * SECOND_MS + between(random, 0, 10 * SECOND_MS);
const node = (random: Random, nodes: number) => between(random, 0, nodes - 1);

const KINDS: readonly Make[] = [
  () => ({ do: "die" }),
  () => ({ do: "die" }),
  (random) => ({ do: "die-within", statements: between(random, 1, 200) }),
  (random) => ({ do: "die-within", statements: between(random, 1, 40) }),
  (random) => ({ do: "die-after", turns: between(random, 1, 30) }),
  (random) => ({ do: "slow-storage", ms: short(random), most: pick(random, [50, 500, 5_000]) }),
  (random) => ({ do: "writes-fail", ms: short(random), chance: pick(random, [1, 1, 0.3, 0.05]) }),
  (random) => ({ do: "refuse", ms: pick(random, [short(random), long(random)]) }),
  (random) => ({ do: "alarms", ms: long(random), late: pick(random, [2_000, 30_000]), twice: 0.3 }),
  (random) => ({
    do: "weather",
    ms: long(random),
    most: pick(random, [100, 1_000, 8_000]),
    loss: pick(random, [0, 0.05, 0.3]),
  }),
  (random) => ({
    do: "bucket-trouble",
    ms: long(random),
    most: pick(random, [100, 2_000, 20_000]),
    fails: pick(random, [0, 0.1, 0.5]),
  }),
  (random, nodes) => ({ do: "cut", ms: long(random), place: `node-${node(random, nodes)}` }),
  (random, nodes) => ({ do: "cut", ms: long(random), place: `node-${node(random, nodes)}` }),
  (random) => ({ do: "cut", ms: short(random), place: `client-${between(random, 0, CLIENTS - 1)}` }),
  (random, nodes) => ({
    do: "cut-site",
    ms: long(random),
    nodes: Array.from({ length: nodes }, (_, i) => i).filter(() => random() < 0.8),
  }),
  (random) => ({ do: "tear", nth: between(random, 0, 9) }),
  (random) => ({ do: "silence", nth: between(random, 0, 9) }),
  (random, nodes) => ({
    do: "crash-agent",
    node: node(random, nodes),
    ms: pick(random, [0, short(random), long(random)]),
  }),
  (random, nodes) => ({ do: "crash-agent", node: node(random, nodes), ms: 0 }),
  (random, nodes) => ({ do: "power-off", node: node(random, nodes), ms: pick(random, [short(random), long(random)]) }),
  (random, nodes) => ({ do: "freeze", node: node(random, nodes), ms: pick(random, [short(random), long(random)]) }),
  (random, nodes) => ({ do: "skew", node: node(random, nodes), by: pick(random, [0, -90, 90, 3_600]) * SECOND_MS }),
  (random, nodes) => ({ do: "remember", node: node(random, nodes) }),
  (random, nodes) => ({ do: "restore", node: node(random, nodes) }),
  (random, nodes) => ({ do: "lose-disk", node: node(random, nodes) }),
  (random, nodes) => ({ do: "fill-disk", node: node(random, nodes), ms: long(random) }),
  (random, nodes) => ({ do: "runtime-trouble", node: node(random, nodes), ms: long(random) + MINUTE_MS }),
];

/** Each run knows only some of the kinds, so that no kind hides another. */
export function fault(random: Random, nodes: number): () => Fault {
  const chance = pick(random, [0.2, 0.5, 1]);
  const known = KINDS.filter(() => random() < chance);
  const kinds = known.length > 0 ? known : KINDS;
  return () => pick(random, kinds)(random, nodes);
}
