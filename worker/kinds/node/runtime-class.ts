import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateRuntimeClass } from "../validation/classes.ts";

/** https://kubernetes.io/docs/concepts/containers/runtime-class/ */
export type RuntimeClass = Schemas["io.k8s.api.node.v1.RuntimeClass"];
export const RuntimeClass = defineKind({
  schema: "io.k8s.api.node.v1.RuntimeClass",
  immutable: ["handler"],
  validate: validateRuntimeClass,
  columns: [nameColumn, { name: "Handler", type: "string", value: ({ handler }) => handler ?? "" }, ageColumn],
});
