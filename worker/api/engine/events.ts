import type { Intent } from "../../controllers/controller.ts";
import { Event } from "../../kinds/core/event.ts";
import type { CoreV1Event } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { type Effects, timestamp } from "../../lib/effects.ts";
import type { Txn } from "../../storage/store.ts";
import { removeStored, replace } from "./commit.ts";
import { createAs } from "./controller-writes.ts";
import type { Core } from "./core.ts";
import { EXPIRY_STEP_MS, eventRef, expiryRef } from "./refs.ts";
import { keyOf } from "./stored.ts";

/**
 * Events, as client-go's recorder writes them: one that says the same of the same object is counted up.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
const EventKind = Event as unknown as Kind;

type EventIntent = Extract<Intent, { do: "event" }>;

export function recordEvent(core: Core, txn: Txn, intent: EventIntent, component: string): void {
  const event = eventOf(core, txn, intent, component);
  const [known] = txn.byRef(eventRef(event), EventKind.groupResource);
  if (!known) {
    createAs(core, txn, EventKind, event, component);
    return;
  }
  const old = JSON.parse(known.json) as CoreV1Event;
  const counted: CoreV1Event = { ...old, count: (old.count ?? 1) + 1, lastTimestamp: event.lastTimestamp };
  replace(txn, EventKind, counted, old, known, false);
}

function eventOf(
  { effects }: Core,
  txn: Txn,
  { about, type, reason, message, action }: EventIntent,
  component: string,
): CoreV1Event {
  const now = effects.now();
  const { name = "", namespace, uid, resourceVersion } = about.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: freeName(txn, namespace || "default", `${name}.`, effects), namespace: namespace || "default" },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
    reason,
    message,
    type,
    source: { component },
    firstTimestamp: timestamp(now),
    lastTimestamp: timestamp(now),
    count: 1,
    reportingComponent: component,
    reportingInstance: "",
    ...(action && { action }),
  };
}

/** The object's name and, in hexadecimal, about the nanosecond. */
function freeName(txn: Txn, namespace: string, base: string, effects: Effects): string {
  let suffix = BigInt(effects.now()) * 1_000_000n + BigInt(Math.floor(effects.random() * 1_000_000));
  while (txn.get(keyOf(EventKind, namespace, base + suffix.toString(16)))) suffix++;
  return base + suffix.toString(16);
}

const STEPS_A_DAY = 144;
const EXPIRED_SETTING = "events.expired";

/** Removes events past their hour, at most `budget` of them; true when more remain. */
export function expireEvents({ store }: Core, now: number, budget: number): boolean {
  const last = Math.floor(now / EXPIRY_STEP_MS);
  const reached = store.getSetting(EXPIRED_SETTING);
  const first = Number(reached ?? last - STEPS_A_DAY);
  if (first >= last) return false;
  return store.write((txn) => {
    let left = budget;
    for (let bucket = first + 1; bucket <= last; bucket++) {
      for (const stored of txn.byRef(expiryRef(bucket), EventKind.groupResource)) {
        if (left-- === 0) return true;
        removeStored(txn, stored);
      }
    }
    // Written where it spares something: a cluster that is only read now and then writes no row for it.
    const spares = reached === undefined || left < budget || last - first >= STEPS_A_DAY / 2;
    if (spares) store.setSetting(EXPIRED_SETTING, String(last));
    return false;
  });
}
