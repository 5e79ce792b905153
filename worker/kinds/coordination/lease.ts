import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Lease = Schemas["io.k8s.api.coordination.v1.Lease"];
export const Lease = defineKind({ schema: "io.k8s.api.coordination.v1.Lease" });
