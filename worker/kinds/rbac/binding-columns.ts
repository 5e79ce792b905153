import { ageColumn, nameColumn } from "../columns.ts";
import type { RbacV1RoleRef, RbacV1Subject } from "../generated/types.ts";
import type { Column } from "../kind.ts";

/** Columns of RoleBindings and ClusterRoleBindings. */
type Binding = { roleRef?: RbacV1RoleRef; subjects?: RbacV1Subject[] };

const subjects = ({ subjects = [] }: Binding, kind: string): string =>
  subjects
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn as Column<Binding>,
  { name: "Role", type: "string", value: ({ roleRef }) => `${roleRef?.kind ?? ""}/${roleRef?.name ?? ""}` },
  ageColumn as Column<Binding>,
  { name: "Users", type: "string", priority: 1, value: (binding) => subjects(binding, "User") },
  { name: "Groups", type: "string", priority: 1, value: (binding) => subjects(binding, "Group") },
  { name: "ServiceAccounts", type: "string", priority: 1, value: (binding) => subjects(binding, "ServiceAccount") },
];
