/** Which tests run together, and which make up the part that `npm test` runs. */
import { createHash } from "node:crypto";
import { CONFORMANCE, groupOf, NETWORK_POLICY, USUAL } from "./groups.ts";
import { areaOf, type Result } from "./results.ts";

type Known = ReadonlyMap<string, Result>;

/** Tests that must be alone on the cluster say so in their names. */
export const isSerial = (name: string) => name.includes("[Serial]");

const MAX_BATCH_TESTS = 8;
const MAX_BATCH_SECONDS = 60;

/** Quick tests share a process, whose start costs more than they do; slow ones have their own. */
export function batches(names: readonly string[], known: Known): string[][] {
  const all: string[][] = [];
  let room = 0;
  for (const name of names) {
    const seconds = cost(name, known);
    const last = all.at(-1);
    if (last && seconds <= room && last.length < MAX_BATCH_TESTS) last.push(name);
    else {
      all.push([name]);
      room = MAX_BATCH_SECONDS;
    }
    room -= seconds;
  }
  return all;
}

/** Tests that may take a quarter of an hour and more. */
export const isLong = (name: string) => name.startsWith("[sig-autoscaling]");

/** Taken for one that has never run. Those of network policies ask from each of nine pods for each, again and again. */
function unknownSeconds(name: string): number {
  if (isLong(name)) return 900;
  return groupOf(name) === NETWORK_POLICY || name.includes("[Slow]") ? MAX_BATCH_SECONDS : 12;
}
const cost = (name: string, known: Known) => known.get(name)?.seconds ?? unknownSeconds(name);

/** Slower ones are left to the whole run, so that the part holds many tests. */
const MAX_PART_TEST_SECONDS = 60;

/**
 * Of the passing tests as many as fit into `seconds` of `processes`: one of each area in turn, in an order that looks
 * like chance and is the same on every machine. Those that failed when they were last run are left to the whole run,
 * which calls that an error. Of groups that are not usually run only what is in `sample` is taken.
 */
export function choosePart(
  passing: readonly string[],
  sample: readonly string[],
  known: Known,
  processes: number,
  seconds: number,
): string[] {
  const quick = passing.filter(
    (name) =>
      (sample.includes(name) || USUAL.includes(groupOf(name) ?? "")) &&
      known.get(name)?.passed !== false &&
      cost(name, known) <= MAX_PART_TEST_SECONDS,
  );
  const areas = [...Map.groupBy(quick, partOf).values()].map((names) => names.toSorted(byHash));
  const turns = Math.max(0, ...areas.map((names) => names.length));
  const inTurn = Array.from({ length: turns }, (_, turn) => areas.flatMap((names) => names[turn] ?? [])).flat();
  let left = seconds * processes;
  return inTurn.filter((name) => {
    left -= (cost(name, known) + 1) * (isSerial(name) ? processes : 1);
    return left >= 0;
  });
}

/** The conformance tests' area, the others' group. */
function partOf(name: string): string {
  const group = groupOf(name);
  return group === undefined || group === CONFORMANCE ? areaOf(name) : group;
}

function byHash(a: string, b: string): number {
  return hash(a) < hash(b) ? -1 : 1;
}

const hash = (name: string) => createHash("sha256").update(name).digest("hex");
