import type { Intent } from "../../controllers/controller.ts";
import { Event } from "../../kinds/core/event.ts";
import type { CoreV1Event } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { timestamp } from "../../lib/effects.ts";
import { fnv32 } from "../../lib/fnv.ts";
import type { Txn } from "../../storage/store.ts";
import { removeStored, replace } from "./commit.ts";
import { createAs } from "./controller-writes.ts";
import type { Core } from "./core.ts";
import { EXPIRES_AFTER_MS, EXPIRY_STEP_MS, expiryRef } from "./refs.ts";
import { keyOf } from "./stored.ts";

/**
 * Events, as client-go's recorder writes them: one that says the same of the same object is counted up.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
const EventKind = Event as unknown as Kind;

type EventIntent = Extract<Intent, { do: "event" }>;

export function recordEvent(core: Core, txn: Txn, intent: EventIntent, component: string): void {
  const event = eventOf(core, intent, component);
  const identity = identityOf(event);
  const base = event.metadata.name;
  for (let attempt = 0; ; attempt++) {
    event.metadata.name = `${base}.${hex(identity, attempt)}`;
    const known = txn.get(keyOf(EventKind, event.metadata.namespace ?? "", event.metadata.name));
    if (!known) {
      createAs(core, txn, EventKind, event, component);
      return;
    }
    const old = JSON.parse(known.json) as CoreV1Event;
    if (identityOf(old) !== identity) continue; // the name is another's
    const counted: CoreV1Event = { ...old, count: (old.count ?? 1) + 1, lastTimestamp: event.lastTimestamp };
    replace(txn, EventKind, counted, old, known, false);
    return;
  }
}

/** Equal for events that are counted up instead of written anew. */
const identityOf = ({ involvedObject: { uid, fieldPath = "" }, source, type, reason, message }: CoreV1Event): string =>
  JSON.stringify([uid, fieldPath, source?.component, type, reason, message]);

/**
 * What follows the object's name in the event's, where client-go puts about the nanosecond. Made from what the event
 * says, it finds the event again: an index would be a row more to write for each, and there is nothing more of than events.
 */
const hex = (identity: string, attempt: number): string =>
  [0x811c9dc5 + attempt, 0x050c5d1f + attempt]
    .map((basis) => fnv32(identity, basis).toString(16).padStart(8, "0"))
    .join("");

/** Named after the object that it is about. */
function eventOf({ effects }: Core, { about, type, reason, message, action }: EventIntent, component: string) {
  const now = effects.now();
  const { name = "", namespace, uid, resourceVersion } = about.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: namespace || "default" },
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
  } satisfies CoreV1Event;
}

const STEPS_A_DAY = 144;
const EXPIRED_SETTING = "events.expired";

/**
 * Removes events that are past their time, at most `budget` of them; true when more remain. Source of the time:
 * https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--event-ttl)
 */
export function expireEvents({ store, config }: Core, now: number, budget: number): boolean {
  const last = Math.floor((now - config.eventTtlSeconds * 1000 + EXPIRES_AFTER_MS) / EXPIRY_STEP_MS);
  const reached = store.getSetting(EXPIRED_SETTING);
  const first = Number(reached ?? last - STEPS_A_DAY);
  if (first >= last) return false;
  return store.write((txn) => {
    let left = budget;
    for (let bucket = first + 1; bucket <= last; bucket++) {
      for (const stored of txn.byRef(expiryRef(bucket), EventKind.groupResource)) {
        if (left-- === 0) return true;
        removeStored(txn, EventKind, stored);
      }
    }
    // Written where it spares something: a cluster that is only read now and then writes no row for it.
    const spares = reached === undefined || left < budget || last - first >= STEPS_A_DAY / 2;
    if (spares) store.setSetting(EXPIRED_SETTING, String(last));
    return false;
  });
}
