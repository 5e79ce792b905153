import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type RoleBinding = Schemas["io.k8s.api.rbac.v1.RoleBinding"];
export const RoleBinding = defineKind({ schema: "io.k8s.api.rbac.v1.RoleBinding" });
