/** What this node has yet to tell the cluster and could not: kept with its state, so that it outlives the agent. */
import type { CoreV1Event } from "../worker/kinds/generated/types.ts";
import { byText } from "./by-text.ts";
import type { State } from "./state.ts";

export interface Outbox {
  put(event: CoreV1Event): void;
  remove(event: CoreV1Event): void;
  /** In the order of their last happening. */
  events(): CoreV1Event[];
  /** How many events were given up for want of room, and not told of yet. */
  dropped: number;
}

const PREFIX = "event/";
const DROPPED = "dropped-events";

const keyOf = ({ metadata }: CoreV1Event) => `${PREFIX}${metadata.namespace}/${metadata.name}`;
const last = ({ lastTimestamp }: CoreV1Event) => lastTimestamp ?? "";

export const outboxOf = (state: State): Outbox => ({
  put: (event) => state.setFact(keyOf(event), JSON.stringify(event)),
  remove: (event) => state.removeFact(keyOf(event)),
  events: () =>
    [...state.factsNamed(PREFIX)]
      .map((text) => JSON.parse(text) as CoreV1Event)
      .toSorted((a, b) => byText(last(a), last(b))),
  get dropped() {
    return Number(state.fact(DROPPED) ?? 0);
  },
  set dropped(count) {
    if (count) state.setFact(DROPPED, String(count));
    else state.removeFact(DROPPED);
  },
});

/** Forgets with its agent. */
export function shortOutbox(): Outbox {
  const kept = new Map<string, CoreV1Event>();
  return {
    put: (event) => void kept.set(keyOf(event), event),
    remove: (event) => void kept.delete(keyOf(event)),
    events: () => [...kept.values()],
    dropped: 0,
  };
}
