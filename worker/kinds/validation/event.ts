import { byteLength } from "../../lib/bytes.ts";
import { dnsSubdomainProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { invalidValue, required } from "../../lib/status.ts";
import type { CoreV1Event, EventsV1Event } from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const MAX_NAME = 128;
const MAX_NOTE = 1024;
const MISMATCH = "does not match event.namespace";

type Parts = {
  namespace: string;
  about: string;
  eventTime: string | null | undefined;
  controller: string | undefined;
  instance: string | undefined;
  action: string | undefined;
  reason: string | undefined;
  note: string | undefined;
};

export function* validateCoreEvent(event: CoreV1Event): Problems {
  yield* validateParts(
    {
      namespace: event.metadata?.namespace ?? "",
      about: event.involvedObject?.namespace ?? "",
      eventTime: event.eventTime,
      controller: event.reportingComponent,
      instance: event.reportingInstance,
      action: event.action,
      reason: event.reason,
      note: event.message,
    },
    "reportingComponent",
  );
}

export function* validateEvent(event: EventsV1Event): Problems {
  yield* validateParts(
    {
      namespace: event.metadata?.namespace ?? "",
      about: event.regarding?.namespace ?? "",
      eventTime: event.eventTime,
      controller: event.reportingController,
      instance: event.reportingInstance,
      action: event.action,
      reason: event.reason,
      note: event.note,
    },
    "reportingController",
  );
}

/** What old clients' events, which reach this version too, need not heed. */
export function* validateNewEvent(event: EventsV1Event): Problems {
  yield* validateSeries(event.series);
  if (!event.eventTime) yield required("eventTime");
  if (event.type !== "Normal" && event.type !== "Warning")
    yield invalidValue("type", "", `has invalid value: ${event.type ?? ""}`);
  if (event.deprecatedFirstTimestamp) yield invalidValue("firstTimestamp", "", "needs to be unset");
  if (event.deprecatedLastTimestamp) yield invalidValue("lastTimestamp", "", "needs to be unset");
  if (event.deprecatedCount) yield invalidValue("count", "", "needs to be unset");
  const source = event.deprecatedSource;
  if (source?.component || source?.host) yield invalidValue("source", "", "needs to be unset");
}

/** Only the series of an event goes on. */
export function* validateEventUpdate(event: EventsV1Event, old: EventsV1Event): Problems {
  if (!same(event.series ?? null, old.series ?? null)) yield* validateSeries(event.series);
  for (const [field, value] of Object.entries(fixedParts(event)))
    if (!same(value, fixedParts(old)[field]))
      yield invalidValue(field, goParts[field] ? goValue(goParts[field], value) : value, "field is immutable");
}

const goParts: Readonly<Record<string, string>> = {
  involvedObject: "core.ObjectReference",
  source: "core.EventSource",
  related: "core.ObjectReference",
};

const fixedParts = (event: EventsV1Event): Record<string, unknown> => ({
  involvedObject: event.regarding ?? {},
  message: event.note ?? "",
  source: event.deprecatedSource ?? {},
  firstTimestamp: event.deprecatedFirstTimestamp ?? null,
  lastTimestamp: event.deprecatedLastTimestamp ?? null,
  count: event.deprecatedCount ?? 0,
  reason: event.reason ?? "",
  type: event.type ?? "",
  eventTime: event.eventTime ?? null,
  action: event.action ?? "",
  related: event.related ?? null,
  reportingController: event.reportingController ?? "",
  reportingInstance: event.reportingInstance ?? "",
});

function* validateSeries(series: EventsV1Event["series"]): Problems {
  if (!series) return;
  if (series.count < 2) yield invalidValue("series.count", "", "should be at least 2");
  if (!series.lastObservedTime) yield required("series.lastObservedTime");
}

function* validateParts(event: Parts, controllerField: string): Problems {
  const { namespace, about } = event;
  if (!event.eventTime) {
    if (about ? about !== namespace : namespace !== "" && namespace !== "default")
      yield invalidValue("involvedObject.namespace", about, MISMATCH);
  } else {
    if (!about && namespace !== "default" && namespace !== "kube-system")
      yield invalidValue("involvedObject.namespace", about, MISMATCH);
    if (!event.controller) yield required(controllerField);
    yield* invalidFor(controllerField, event.controller ?? "", qualifiedNameProblems(event.controller ?? ""));
    yield* validateText("reportingInstance", event.instance);
    yield* validateText("action", event.action);
    yield* validateText("reason", event.reason);
    if (byteLength(event.note ?? "") > MAX_NOTE)
      yield invalidValue("message", "", `can have at most ${MAX_NOTE} characters`);
  }
  yield* invalidFor("namespace", namespace, dnsSubdomainProblems(namespace));
}

function* validateText(field: string, text: string | undefined): Problems {
  if (!text) yield required(field);
  else if (byteLength(text) > MAX_NAME) yield invalidValue(field, "", `can have at most ${MAX_NAME} characters`);
}
