import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateFlowSchema, validateFlowStatus } from "../validation/flow-control.ts";

const DEFAULT_PRECEDENCE = 1000;
const NONE = "<none>";

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema */
export type FlowSchema = Schemas["io.k8s.api.flowcontrol.v1.FlowSchema"];
export const FlowSchema = defineKind({
  schema: "io.k8s.api.flowcontrol.v1.FlowSchema",
  default({ spec }) {
    if (spec) spec.matchingPrecedence ||= DEFAULT_PRECEDENCE;
  },
  validate: validateFlowSchema,
  validateUpdate: (object, _, subresource) => (subresource ? validateFlowStatus(object) : []),
  columns: [
    nameColumn,
    { name: "PriorityLevel", type: "string", value: ({ spec }) => spec?.priorityLevelConfiguration.name ?? "" },
    { name: "MatchingPrecedence", type: "string", value: ({ spec }) => spec?.matchingPrecedence ?? 0 },
    { name: "DistinguisherMethod", type: "string", value: ({ spec }) => spec?.distinguisherMethod?.type ?? NONE },
    ageColumn,
    {
      name: "MissingPL",
      type: "string",
      value: ({ status }) => status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?",
    },
  ],
});
