import type { KubeObject } from "../lib/object.ts";
import type { Change } from "../storage/store.ts";

type Bodies = { json?: KubeObject; previous?: KubeObject };

const bodies = new WeakMap<Change, Bodies>();

/** A body of a change, parsed once for controllers, watchers and nodes alike: copy before changing. */
function parsed(change: Change, which: "json" | "previous"): KubeObject {
  const known = bodies.get(change) ?? {};
  bodies.set(change, known);
  known[which] ??= JSON.parse(change[which] ?? change.json) as KubeObject;
  return known[which];
}

/** The object as this change made it; of a deletion, as it last was. */
export const bodyOf = (change: Change): KubeObject => parsed(change, "json");

/** The object before this change, absent where it was created. */
export function formerBodyOf(change: Change): KubeObject | undefined {
  if (change.previous !== undefined) return parsed(change, "previous");
  return change.type === "DELETED" ? bodyOf(change) : undefined;
}
