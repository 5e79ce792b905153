import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type ClusterRoleBinding = Schemas["io.k8s.api.rbac.v1.ClusterRoleBinding"];
export const ClusterRoleBinding = defineKind({ schema: "io.k8s.api.rbac.v1.ClusterRoleBinding" });
