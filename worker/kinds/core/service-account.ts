import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type ServiceAccount = Schemas["io.k8s.api.core.v1.ServiceAccount"];
export const ServiceAccount = defineKind({ schema: "io.k8s.api.core.v1.ServiceAccount" });
