import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Endpoints = Schemas["io.k8s.api.core.v1.Endpoints"];
export const Endpoints = defineKind({ schema: "io.k8s.api.core.v1.Endpoints" });
