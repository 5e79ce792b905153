import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Role = Schemas["io.k8s.api.rbac.v1.Role"];
export const Role = defineKind({ schema: "io.k8s.api.rbac.v1.Role" });
