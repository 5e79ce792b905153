import { pathSegmentProblems } from "../../lib/names.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { defaultBinding, validateBindingUpdate, validateRoleBinding } from "../validation/rbac.ts";
import { bindingColumns } from "./binding-columns.ts";

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding */
export type RoleBinding = Schemas["io.k8s.api.rbac.v1.RoleBinding"];
export const RoleBinding = defineKind({
  schema: "io.k8s.api.rbac.v1.RoleBinding",
  nameProblems: pathSegmentProblems,
  default: defaultBinding,
  validate: validateRoleBinding,
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});
