/** What rules read in the faults that they are told of. */
import type { Truth } from "../contract.ts";
import type { Seen } from "./rule.ts";

const LOSSES = new Set(["lose-disk", "restore"]);

/** The node whose disk has lost something, or all. */
export function loserOf(truth: Truth, observation: Seen): string | undefined {
  if (observation.type !== "fault") return undefined;
  const { do: what, node = 0 } = JSON.parse(observation.fault) as { do: string; node?: number };
  const names = [...truth.nodes().keys()];
  return LOSSES.has(what) ? names[node % names.length] : undefined;
}
