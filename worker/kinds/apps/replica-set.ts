import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type ReplicaSet = Schemas["io.k8s.api.apps.v1.ReplicaSet"];
export const ReplicaSet = defineKind({ schema: "io.k8s.api.apps.v1.ReplicaSet" });
