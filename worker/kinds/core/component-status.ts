import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

/** What kube-apiserver once said of its helpers; here there are none to speak of. */
export type ComponentStatus = Schemas["io.k8s.api.core.v1.ComponentStatus"];
export const ComponentStatus = defineKind({
  schema: "io.k8s.api.core.v1.ComponentStatus",
  deprecation: "v1 ComponentStatus is deprecated in v1.19+",
});
