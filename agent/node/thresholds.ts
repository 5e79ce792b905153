/**
 * Thresholds of a node's resources: when the node is under pressure, and when something has to go.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-thresholds
 */
import { parseDuration } from "../../worker/lib/cel/times.ts";
import { parseQuantity, type Quantity } from "../../worker/lib/quantity.ts";

/** What is starved when a signal's threshold is met, and the condition of the node that tells of it. */
const SIGNALS = {
  "memory.available": { resource: "memory", condition: "MemoryPressure" },
  "allocatableMemory.available": { resource: "memory", condition: "MemoryPressure" },
  "nodefs.available": { resource: "ephemeral-storage", condition: "DiskPressure" },
  "nodefs.inodesFree": { resource: "inodes", condition: "DiskPressure" },
  "imagefs.available": { resource: "ephemeral-storage", condition: "DiskPressure" },
  "imagefs.inodesFree": { resource: "inodes", condition: "DiskPressure" },
  "containerfs.available": { resource: "ephemeral-storage", condition: "DiskPressure" },
  "containerfs.inodesFree": { resource: "inodes", condition: "DiskPressure" },
  "pid.available": { resource: "pids", condition: "PIDPressure" },
} as const;

export type Signal = keyof typeof SIGNALS;
export type StarvedResource = (typeof SIGNALS)[Signal]["resource"];
export type Pressure = (typeof SIGNALS)[Signal]["condition"];

/** An amount, or a share of what there is (0 to 1). */
export type ThresholdValue = { amount: Quantity } | { share: number };

export type Threshold = {
  signal: Signal;
  value: ThresholdValue;
  /** Met for so long before anything goes; 0 for a hard one. */
  graceMs: number;
  /** Once met, it counts until so much more is available. */
  minReclaim?: ThresholdValue;
};

/** In bytes, inodes or processes. */
export type Observation = { available: number; capacity: number };
export type Observations = Partial<Record<Signal, Observation>>;

export type ThresholdStatements = {
  hard: Record<string, string>;
  soft: Record<string, string>;
  gracePeriods: Record<string, string>;
  minimumReclaim: Record<string, string>;
  enforcesAllocatable: boolean;
};

export const resourceOf = ({ signal }: Threshold): StarvedResource => SIGNALS[signal].resource;

/** Throws for what makes no sense, in the kubelet's words. */
export function parseThresholds(statements: ThresholdStatements): Threshold[] {
  const { hard, soft, gracePeriods, minimumReclaim, enforcesAllocatable } = statements;
  const reclaim = new Map(
    Object.entries(minimumReclaim).map(([signal, text]) => [known(signal), parseReclaim(signal, text)] as const),
  );
  const graces = new Map(Object.entries(gracePeriods).map(([signal, text]) => [known(signal), parseGrace(text)]));
  const make = (signal: Signal, text: string, graceMs: number): Threshold[] => {
    const value = parseValue(signal, text);
    const minReclaim = reclaim.get(signal);
    return value ? [{ signal, value, graceMs, ...(minReclaim && { minReclaim }) }] : [];
  };
  const hardOnes = Object.entries(hard).flatMap(([signal, text]) => make(known(signal), text, 0));
  const softOnes = Object.entries(soft).flatMap(([name, text]) => {
    const graceMs = graces.get(known(name));
    if (graceMs === undefined)
      throw new Error(`grace period must be specified for the soft eviction threshold ${name}`);
    return make(known(name), text, graceMs);
  });
  // What holds for the machine's memory holds for that of all pods together as well.
  const ofPods = hardOnes
    .filter(({ signal }) => enforcesAllocatable && signal === "memory.available")
    .map((threshold) => ({ ...threshold, signal: "allocatableMemory.available" as const }));
  return [...hardOnes, ...softOnes, ...ofPods];
}

function known(signal: string): Signal {
  if (Object.hasOwn(SIGNALS, signal)) return signal as Signal;
  throw new Error(`unsupported eviction signal ${signal}`);
}

/** Undefined for one that is switched off. */
function parseValue(signal: Signal, text: string): ThresholdValue | undefined {
  if (text === "0%" || text === "100%") return undefined;
  const share = parseShare(text);
  if (share !== undefined) {
    if (share < 0) throw new Error(`eviction percentage threshold ${signal} must be >= 0%: ${text}`);
    if (share > 1) throw new Error(`eviction percentage threshold ${signal} must be <= 100%: ${text}`);
    return { share };
  }
  const amount = parseQuantity(text);
  if (amount.nano <= 0n) throw new Error(`eviction threshold ${signal} must be positive: ${text}`);
  return { amount };
}

function parseReclaim(signal: string, text: string): ThresholdValue {
  const share = parseShare(text);
  if (share !== undefined) {
    if (share <= 0) throw new Error(`eviction percentage minimum reclaim ${signal} must be positive: ${text}`);
    return { share };
  }
  const amount = parseQuantity(text);
  if (amount.nano < 0n) throw new Error(`negative eviction minimum reclaim specified for ${signal}`);
  return { amount };
}

/** As exact as a kubelet has it, whose shares are 32 bits wide: amounts are seen in the node's status. */
function parseShare(text: string): number | undefined {
  const number = /^([-+]?\d*\.?\d+)%$/.exec(text)?.[1];
  return number === undefined ? undefined : Math.fround(Math.fround(Number(number)) / 100);
}

function parseGrace(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed) throw new Error(`time: invalid duration "${text}"`);
  if (parsed.nanos < 0n) throw new Error(`invalid eviction grace period specified: ${text}, must be a positive value`);
  return Number(parsed.nanos / 1_000_000n);
}

/** In the signal's unit. */
export const amountOf = (value: ThresholdValue, capacity: number): number =>
  "share" in value ? Math.trunc(capacity * value.share) : Number(value.amount.nano) / 1e9;

/** Those that are met now. `untilReclaimed` counts one as met for as long as its minimum is not reclaimed. */
export function thresholdsMet(
  thresholds: readonly Threshold[],
  observations: Observations,
  untilReclaimed: boolean,
): Threshold[] {
  return thresholds.filter(({ signal, value, minReclaim }) => {
    const observed = observations[signal];
    if (!observed) return false;
    const more = untilReclaimed && minReclaim ? amountOf(minReclaim, observed.capacity) : 0;
    return observed.available < amountOf(value, observed.capacity) + more;
  });
}

/** What was observed before, of which the next look needs to know. */
export type PressureState = {
  /** Met and not resolved yet. */
  met: readonly Threshold[];
  /** When each of them was first seen to be met (ms). */
  firstMet: ReadonlyMap<Threshold, number>;
  /** When each condition was last seen to hold (ms). */
  lastHeld: ReadonlyMap<Pressure, number>;
};

export const noPressure: PressureState = { met: [], firstMet: new Map(), lastHeld: new Map() };

export type PressureLook = {
  state: PressureState;
  /** Conditions of the node that hold, or held a short while ago. */
  pressures: Pressure[];
  /** Thresholds on which something has to be done, those of memory first. */
  due: Threshold[];
};

/** One look at what is available. */
export function lookAtPressure(
  thresholds: readonly Threshold[],
  observations: Observations,
  before: PressureState,
  now: number,
  transitionMs: number,
): PressureLook {
  const unresolved = new Set(thresholdsMet(before.met, observations, true));
  const fresh = new Set(thresholdsMet(thresholds, observations, false));
  const all = thresholds.filter((threshold) => fresh.has(threshold) || unresolved.has(threshold));
  const firstMet = new Map(all.map((threshold) => [threshold, before.firstMet.get(threshold) ?? now]));
  const lastHeld = new Map(before.lastHeld);
  for (const { signal } of all) lastHeld.set(SIGNALS[signal].condition, now);
  const met = all.filter((threshold) => now - (firstMet.get(threshold) ?? now) >= threshold.graceMs);
  return {
    state: { met, firstMet, lastHeld },
    pressures: [...lastHeld].flatMap(([condition, at]) => (now - at < transitionMs ? [condition] : [])),
    due: met.toSorted((a, b) => rank(a) - rank(b)),
  };
}

const rank = (threshold: Threshold): number => (resourceOf(threshold) === "memory" ? 0 : 1);
