import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateFlowSchema } from "../validation/flow-control.ts";

const DEFAULT_PRECEDENCE = 1000;

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema */
export type FlowSchema = Schemas["io.k8s.api.flowcontrol.v1.FlowSchema"];
export const FlowSchema = defineKind({
  schema: "io.k8s.api.flowcontrol.v1.FlowSchema",
  default({ spec }) {
    if (spec) spec.matchingPrecedence ||= DEFAULT_PRECEDENCE;
  },
  validate: validateFlowSchema,
});
