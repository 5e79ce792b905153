import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Service = Schemas["io.k8s.api.core.v1.Service"];
export const Service = defineKind({ schema: "io.k8s.api.core.v1.Service" });
