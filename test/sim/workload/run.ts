/** One run of the simulator: a world, its script, and what came of it. */
import type { CoreLimits } from "../../../worker/core-parts.ts";
import type { Invariant, Observation, SimNodeOptions } from "../contract.ts";
import { invariants as allInvariants } from "../invariants/index.ts";
import { createNode } from "../node/node.ts";
import { image } from "../world/image.ts";
import { Dead } from "../world/object.ts";
import { pick, stream } from "../world/random.ts";
import { World } from "../world/world.ts";
import { Players } from "./perform.ts";
import { REST_MS, type Script, scriptOf } from "./script.ts";

export type RunOptions = {
  seed: number;
  hours: number;
  /** How much happens, as a multiple of the usual. */
  density?: number;
  script?: Script;
  invariants?: readonly Invariant[];
  watch?(observation: Observation): void;
  /** What agents say. */
  log?(node: string, message: string): void;
  limits?: Partial<CoreLimits>;
};

export type Outcome = {
  seed: number;
  hours: number;
  script: Script;
  /** Of all that was observed. */
  hash: string;
  events: number;
  observations: number;
  violation: { rule: string; message: string; at: number } | undefined;
};

/** A turn and a log so small that what is rare with the real limits is common. */
function limitsOf(seed: number): Partial<CoreLimits> {
  const random = stream(seed, "limits");
  return pick(random, [
    {},
    { turnReconciles: 3 },
    { keepRevisions: 50, compactRows: 7, compactEveryRevisions: 10 },
    { turnReconciles: 20, keepRevisions: 200, compactEveryRevisions: 20 },
  ]);
}

export async function run(options: RunOptions): Promise<Outcome> {
  const { seed, hours, invariants = allInvariants, watch, log } = options;
  const script = options.script ?? scriptOf(seed, hours, options.density);
  const world = new World({
    seed,
    image: await image(),
    nodes: script.nodes,
    createNode: (node: SimNodeOptions) => createNode({ ...node, log: (message) => log?.(node.name, message) }),
    invariants,
    limits: options.limits ?? limitsOf(seed),
    ...(watch && { watch }),
  });
  const beginning = world.clock.now;
  const rejected = (reason: unknown) => {
    if (!(reason instanceof Dead)) world.fail(reason);
  };
  process.on("unhandledRejection", rejected);
  // The API writes down what it did not expect; of faults that is plenty.
  const { error: speak } = console;
  console.error = () => undefined;
  let violation: Outcome["violation"];
  try {
    new Players(world).schedule(script);
    await world.run(script.heals + REST_MS);
    world.rest();
  } catch (error) {
    const { rule = "nothing-throws", message, stack } = error as Error & { rule?: string };
    violation = {
      rule,
      message: rule === "nothing-throws" ? (stack ?? message) : message,
      at: world.clock.now - beginning,
    };
  } finally {
    process.off("unhandledRejection", rejected);
    console.error = speak;
    world.close();
  }
  const { events } = world.clock;
  const { observations } = world;
  return {
    seed,
    hours: (world.clock.now - beginning) / 3_600_000,
    script,
    hash: world.hash(),
    events,
    observations,
    violation,
  };
}
