import { pathSegmentProblems } from "../../lib/names.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { defaultBinding, validateBindingUpdate, validateClusterRoleBinding } from "../validation/rbac.ts";
import { bindingColumns } from "./binding-columns.ts";

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding */
export type ClusterRoleBinding = Schemas["io.k8s.api.rbac.v1.ClusterRoleBinding"];
export const ClusterRoleBinding = defineKind({
  schema: "io.k8s.api.rbac.v1.ClusterRoleBinding",
  nameProblems: pathSegmentProblems,
  default: defaultBinding,
  validate: validateClusterRoleBinding,
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});
