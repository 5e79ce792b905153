import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type ClusterRole = Schemas["io.k8s.api.rbac.v1.ClusterRole"];
export const ClusterRole = defineKind({ schema: "io.k8s.api.rbac.v1.ClusterRole" });
