import { eventColumns } from "../core/event-columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1Event, Schemas } from "../generated/types.ts";
import { validateEvent, validateEventUpdate, validateNewEvent } from "../validation/event.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export type Event = Schemas["io.k8s.api.events.v1.Event"];

/** The same event in the words of the core group. */
export function asCoreEvent(event: Event): CoreV1Event {
  const {
    apiVersion: _,
    note,
    regarding,
    reportingController,
    deprecatedCount,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedSource,
    ...same
  } = event;
  return {
    ...same,
    apiVersion: "v1",
    involvedObject: regarding ?? {},
    ...(note !== undefined && { message: note }),
    ...(reportingController !== undefined && { reportingComponent: reportingController }),
    ...(deprecatedCount !== undefined && { count: deprecatedCount }),
    ...(deprecatedFirstTimestamp !== undefined && { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp !== undefined && { lastTimestamp: deprecatedLastTimestamp }),
    ...(deprecatedSource !== undefined && { source: deprecatedSource }),
  };
}

export const Event = defineKind({
  schema: "io.k8s.api.events.v1.Event",
  validate: validateEvent,
  validateCreate: validateNewEvent,
  validateUpdate: validateEventUpdate,
  columns: eventColumns(asCoreEvent),
});
