/** What goes wrong, done to a world, and all of it undone. */

import { WELL } from "../world/bucket.ts";
import { CALM } from "../world/conditions.ts";
import { FAIR } from "../world/network.ts";
import type { World } from "../world/world.ts";
import { type Fault, nth, type Step } from "./script.ts";

/** What the storage of an object on a plan without cost says when the day's rows are used up. */
const NO_MORE_ROWS = "Exceeded allowed rows written in Durable Objects free tier.";

type Hurts = { [Name in Fault["do"]]: (world: World, fault: Extract<Fault, { do: Name }>) => void };

/** Undone after a while, unless the same was done again meanwhile. */
const undo = new WeakMap<World, Map<string, symbol>>();
function meanwhile(world: World, what: string, ms: number, over: () => void): void {
  const turns = undo.get(world) ?? new Map<string, symbol>();
  undo.set(world, turns);
  const turn = Symbol(what);
  turns.set(what, turn);
  world.clock.after(ms, () => {
    if (turns.get(what) === turn) over();
  });
}

const HURTS: Hurts = {
  die: (world) => world.object.die("a deploy"),
  "die-within": (world, { statements }) => world.object.dieWithin(statements),
  "slow-storage": (world, { ms, most }) => {
    world.object.conditions.storage = { least: 1, most };
    meanwhile(world, "slow-storage", ms, () => {
      world.object.conditions.storage = CALM.storage;
    });
  },
  "die-after": (world, { turns }) => world.object.dieAfter(turns),
  "writes-fail": (world, { ms, chance = 1 }) => {
    world.object.conditions.writesFail = { why: NO_MORE_ROWS, chance };
    meanwhile(world, "writes-fail", ms, () => {
      world.object.conditions.writesFail = undefined;
    });
  },
  refuse: (world, { ms }) => {
    world.object.conditions.refused = true;
    meanwhile(world, "refuse", ms, () => {
      world.object.conditions.refused = false;
    });
  },
  alarms: (world, { ms, late, twice }) => {
    Object.assign(world.object.conditions, { alarmLate: late, alarmTwice: twice });
    meanwhile(world, "alarms", ms, () => {
      Object.assign(world.object.conditions, { alarmLate: CALM.alarmLate, alarmTwice: CALM.alarmTwice });
    });
  },
  "bucket-trouble": (world, { ms, most, fails }) => {
    world.bucket.conditions = { delay: { least: 1, most }, fails };
    meanwhile(world, "bucket-trouble", ms, () => {
      world.bucket.conditions = WELL;
    });
  },
  weather: (world, { ms, most, loss }) => {
    world.network.weather = { delay: { least: 1, most }, loss };
    meanwhile(world, "weather", ms, () => {
      world.network.weather = FAIR;
    });
  },
  cut: (world, { ms, place }) => {
    world.place(place).cut();
    meanwhile(world, `cut ${place}`, ms, () => world.place(place).join());
  },
  "cut-site": (world, { ms, nodes }) => {
    for (const node of nodes) HURTS.cut(world, { do: "cut", ms, place: nth(world.nodes, node)?.name ?? "" });
  },
  tear: (world, { nth: n }) => nth(world.object.sockets, n)?.connection.tear(),
  silence: (world, { nth: n }) => nth(world.object.sockets, n)?.connection.fallSilent(),
  "tear-streams": (world) => world.edge.tear(),
  "crash-agent": (world, { node, ms }) => {
    const machine = nth(world.nodes, node);
    machine?.crash();
    if (machine) meanwhile(world, `down ${machine.name}`, ms, () => machine.start());
  },
  "power-off": (world, { node, ms }) => {
    const machine = nth(world.nodes, node);
    machine?.powerOff();
    if (machine) meanwhile(world, `down ${machine.name}`, ms, () => machine.start());
  },
  freeze: (world, { node, ms }) => nth(world.nodes, node)?.freeze(ms),
  skew: (world, { node, by }) => nth(world.nodes, node)?.skew(by),
  remember: (world, { node }) => nth(world.nodes, node)?.remember(),
  restore: (world, { node }) => nth(world.nodes, node)?.restore(),
  "lose-disk": (world, { node }) => nth(world.nodes, node)?.lose(),
  "fill-disk": (world, { node, ms }) => {
    const machine = nth(world.nodes, node);
    machine?.fill(true);
    if (machine) meanwhile(world, `full ${machine.name}`, ms, () => machine.fill(false));
  },
  "runtime-trouble": (world, { node, ms }) => {
    const machine = nth(world.nodes, node);
    machine?.trouble(true);
    if (machine) meanwhile(world, `trouble ${machine.name}`, ms, () => machine.trouble(false));
  },
};

export const isFault = (step: Step): step is Step & Fault => step.do in HURTS;

export function hurt(world: World, fault: Fault | { do: "heal" }): void {
  if (fault.do === "heal") return heal(world);
  const { at: _, ...told } = fault as Step & Fault;
  world.observe({ at: world.clock.now, type: "fault", fault: JSON.stringify(told) });
  (HURTS[fault.do] as (world: World, fault: Fault) => void)(world, fault);
}

function heal(world: World): void {
  undo.delete(world);
  Object.assign(world.object.conditions, CALM);
  world.object.dieWithin(Number.POSITIVE_INFINITY);
  world.object.dieAfter(Number.POSITIVE_INFINITY);
  world.network.weather = FAIR;
  world.bucket.conditions = WELL;
  for (const place of world.places()) place.join();
  for (const machine of world.nodes) {
    machine.trouble(false);
    machine.fill(false);
    machine.skew(0);
    machine.start();
  }
}
