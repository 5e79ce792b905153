import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Secret = Schemas["io.k8s.api.core.v1.Secret"];
export const Secret = defineKind({ schema: "io.k8s.api.core.v1.Secret" });
