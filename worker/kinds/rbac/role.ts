import { pathSegmentProblems } from "../../lib/names.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateRole } from "../validation/rbac.ts";

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole */
export type Role = Schemas["io.k8s.api.rbac.v1.Role"];
export const Role = defineKind({
  schema: "io.k8s.api.rbac.v1.Role",
  nameProblems: pathSegmentProblems,
  validate: validateRole,
  columns: [nameColumn, createdColumn],
});
