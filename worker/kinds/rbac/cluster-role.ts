import { pathSegmentProblems } from "../../lib/names.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateClusterRole } from "../validation/rbac.ts";

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole */
export type ClusterRole = Schemas["io.k8s.api.rbac.v1.ClusterRole"];
export const ClusterRole = defineKind({
  schema: "io.k8s.api.rbac.v1.ClusterRole",
  nameProblems: pathSegmentProblems,
  validate: validateClusterRole,
  columns: [nameColumn, createdColumn],
});
