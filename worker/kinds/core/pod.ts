import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Pod = Schemas["io.k8s.api.core.v1.Pod"];
export const Pod = defineKind({ schema: "io.k8s.api.core.v1.Pod" });
