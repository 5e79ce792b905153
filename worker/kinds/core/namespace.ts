import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Namespace = Schemas["io.k8s.api.core.v1.Namespace"];
export const Namespace = defineKind({ schema: "io.k8s.api.core.v1.Namespace" });
