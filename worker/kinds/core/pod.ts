import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { podColumns } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { beginPod, keepForSubresource } from "./pod-strategy.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/ */
export type Pod = Schemas["io.k8s.api.core.v1.Pod"];
export const Pod = defineKind({
  schema: "io.k8s.api.core.v1.Pod",
  default: defaultPod,
  prepareForCreate: beginPod,
  prepareForUpdate: keepForSubresource,
  columns: podColumns,
});
