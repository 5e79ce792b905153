import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type ConfigMap = Schemas["io.k8s.api.core.v1.ConfigMap"];
export const ConfigMap = defineKind({ schema: "io.k8s.api.core.v1.ConfigMap" });
