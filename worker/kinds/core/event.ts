import { pathSegmentProblems } from "../../lib/names.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateCoreEvent } from "../validation/event.ts";
import { eventColumns } from "./event-columns.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export type Event = Schemas["io.k8s.api.core.v1.Event"];
export const Event = defineKind({
  schema: "io.k8s.api.core.v1.Event",
  nameProblems: pathSegmentProblems,
  validate: validateCoreEvent,
  columns: eventColumns((event: Event) => event),
  fieldSelectors: { source: ({ source, reportingComponent }) => source?.component || reportingComponent || "" },
});
