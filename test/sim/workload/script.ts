/**
 * A run is a script: what clients ask and what goes wrong, each at its own time, as plain data. A seed makes one; any
 * part of it can be left out and the rest still makes sense, which is how a failure is made small.
 */
import { between, pick, type Random, stream, weighted } from "../world/random.ts";
import type { Sent } from "./client.ts";
import { deed } from "./deeds.ts";
import { fault } from "./faults.ts";
import { type Asker, FRONT_MS, front, type Turn } from "./fronts.ts";

/** What clients do. `client` is a number; `path` leads to one object. */
export type Deed =
  | { do: "ask"; client: number; sent: Sent }
  /** Reads the object, merges `change` into it and writes it back, `ms` later, at the revision it was read. */
  | { do: "edit"; client: number; path: string; change: object; ms?: number }
  /** Evicts so many pods of a namespace, one after the other, from the nth on. */
  | { do: "evict"; client: number; namespace: string; nth: number; count: number }
  /** Deletes the nth pod of a namespace, with the grace that is given. */
  | { do: "kill"; client: number; namespace: string; nth: number; grace?: number }
  /** Binds the nth pod of a namespace by hand, whatever the scheduler makes of it. */
  | { do: "bind"; client: number; namespace: string; nth: number; node: number }
  /** Makes an object with a finalizer, deletes it, and lets it go after `ms`. */
  | { do: "hold"; client: number; namespace: string; ms: number }
  /** Makes an object that belongs to those that the paths lead to; `ends` is when and how the first of them goes. */
  | {
      do: "own";
      client: number;
      namespace: string;
      name: string;
      owners: string[];
      ends?: { ms: number; propagationPolicy: string };
    }
  /** Cordons a node and evicts its pods until none is left that anything would make anew elsewhere. */
  | { do: "drain"; client: number; node: number }
  | { do: "uncordon"; client: number; node: number }
  | { do: "taint"; client: number; node: number; effect: "NoSchedule" | "NoExecute" | undefined }
  | { do: "forget-node"; client: number; node: number }
  /** Says in which zone a node is, and how long sites are waited for; then the node is cut off for `lostMs`. */
  | {
      do: "site";
      client: number;
      node: number;
      zone: string;
      policies: Record<string, string>;
      lostMs?: number;
    }
  /** Makes pods that keep something, and has the volume of the nth moved from node to node. */
  | { do: "move"; client: number; namespace: string; store: object; nth: number; moves: Move[] }
  /**
   * Makes a volume of a driver that attaches it to nodes, and an app of one pod that has it, which goes from node to node;
   * with `grace` its pod is ended so. `rest`: the time to the next step, ms.
   */
  | { do: "disk"; client: number; namespace: string; name: string; app: object; steps: DiskStep[] }
  /** Makes an app that sleeps while nobody asks for it, and asks for it. */
  | { do: "visit"; client: number; namespace: string; app: object; idle: string; visits: Visit[] }
  /** Makes an app that visitors reach at nodes and at the edge, and does this and that to it meanwhile. */
  | {
      do: "front";
      client: number;
      namespace: string;
      by: "Ingress" | "HTTPRoute";
      app: object;
      service: object;
      askers: Asker[];
      turns: Turn[];
    }
  | { do: "pages"; client: number; path: string; limit: number; between: number }
  | {
      do: "watch";
      client: number;
      path: string;
      resource: string;
      namespace?: string;
      selector?: string;
      fields?: string;
      seconds: number;
      /** How long it is away each time that it has lost its connection, ms. */
      away?: number;
    };

/**
 * Ends the pods that have the volume with `grace`, and calls the move off after `ms`; `drops`: the claim is deleted instead;
 * `through`: by the bucket; `rest`: the time to the next one, ms.
 */
export type Move = {
  node: number;
  grace?: number;
  ms?: number;
  rest: number;
  drops?: boolean;
  through?: true;
  mishap?: Mishap;
};

/**
 * What befalls the node that a volume is to leave (`from`) or to go to, or the cluster, so long after the wish was told, ms;
 * `lost`: the machine is gone for good, with its Node, and another of its name joins.
 */
export type Mishap = {
  after: number;
  whose: "from" | "to" | "cluster";
  what: "crash-agent" | "power-off" | "cut" | "lost";
  ms: number;
};

export type DiskStep = { node?: number; grace?: number; rest: number };

/** One request to a node, or to the edge where that is -1, whose answer takes so long; `rest`: the time to the next one, ms. */
export type Visit = { node: number; answerMs: number; rest: number };

/** What goes wrong. `ms` is for how long. */
export type Fault =
  | { do: "die" }
  | { do: "die-within"; statements: number }
  /** When that many turns from now have reached the disk. */
  | { do: "die-after"; turns: number }
  | { do: "slow-storage"; ms: number; most: number }
  /** `chance` is how many of the writes fail, 1 by default: a full disk has room for some. */
  | { do: "writes-fail"; ms: number; chance?: number }
  | { do: "refuse"; ms: number }
  | { do: "alarms"; ms: number; late: number; twice: number }
  /** Steps of the bucket take so long at most, and fail by this chance. */
  | { do: "bucket-trouble"; ms: number; most: number; fails: number }
  | { do: "weather"; ms: number; most: number; loss: number }
  | { do: "cut"; ms: number; place: string }
  | { do: "cut-site"; ms: number; nodes: number[] }
  | { do: "tear"; nth: number }
  | { do: "silence"; nth: number }
  /** Of the Relays. */
  | { do: "tear-streams" }
  | { do: "crash-agent"; node: number; ms: number }
  | { do: "power-off"; node: number; ms: number }
  | { do: "freeze"; node: number; ms: number }
  | { do: "skew"; node: number; by: number }
  | { do: "remember"; node: number }
  | { do: "restore"; node: number }
  | { do: "lose-disk"; node: number }
  | { do: "fill-disk"; node: number; ms: number }
  | { do: "runtime-trouble"; node: number; ms: number };

/** `at`: ms since the world's beginning. */
export type Step = { at: number } & (Deed | Fault);

export type Script = {
  nodes: number;
  /** When faults end, ms. */
  heals: number;
  steps: readonly Step[];
};

export const CLIENTS = 3;
/** After the faults are over, everything must be as wanted within this time. */
export const REST_MS = 25 * 60_000;
const MINUTE_MS = 60_000;
/** Machines join and the first objects are made before anything goes wrong. */
const FIRST_FAULT_MS = 2 * MINUTE_MS;
const DEEDS_A_MINUTE = 0.7;
const FAULTS_A_MINUTE = 0.25;
/** Runs with an app that visitors ask for, which cost twice as much: of many small ones fewer. */
const FRONTS = 0.3;

/** `hours` of virtual time, the rest after the faults included; `density` times as much happens in it as by default. */
export function scriptOf(seed: number, hours: number, density = 1): Script {
  const random = stream(seed, "script");
  const heals = Math.max(hours * 60 * MINUTE_MS - REST_MS, 5 * MINUTE_MS);
  const nodes = pick(random, [1, 2, 2, 3, 4]);
  const steps: Step[] = [];
  const deeds = deed(random, nodes);
  for (let at = 2_000; at < heals; at += gap(random, DEEDS_A_MINUTE * density))
    steps.push({ at, ...deeds(at / heals) });
  // Some runs have no faults at all: what fails there needs none.
  const isCalm = random() < 0.1;
  const faults = fault(random, nodes);
  for (let at = FIRST_FAULT_MS; at < heals && !isCalm; at += gap(random, FAULTS_A_MINUTE * density))
    steps.push({ at, ...faults() });
  const own = stream(seed, "front");
  if (own() < FRONTS * density ** 3 && heals > FIRST_FAULT_MS + FRONT_MS)
    steps.push({ at: between(own, FIRST_FAULT_MS, heals - FRONT_MS), ...front(own, nodes) });
  return { nodes, heals, steps: steps.sort((a, b) => a.at - b.at) };
}

/** Things come in bursts: most gaps are short, some long. */
function gap(random: Random, aMinute: number): number {
  const mean = MINUTE_MS / aMinute;
  return Math.ceil(
    weighted(random, [
      [3, mean / 20],
      [3, mean / 2],
      [2, mean * 2.4],
    ]) *
      2 *
      random(),
  );
}

export const nth = <T>(items: readonly T[], n: number): T | undefined =>
  items.length === 0 ? undefined : items[n % items.length];
