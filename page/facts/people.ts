/** Who may what, and what an invitation is made of. */
import type { Binding } from "../api/objects.ts";

/** On what an invitation made, so that its revocation takes that and nothing else. */
export const INVITED = "skerry.dev/invited";

export const whereOf = ({ metadata }: Binding): string => metadata.namespace ?? "all namespaces";

export type Grant = { key: string; who: string; kind: string; role: string; where: string };

/** One for each subject, but for the control plane's own. */
export function bindingsOf(bindings: readonly Binding[]): Grant[] {
  return bindings
    .filter(({ metadata }) => !metadata.name.startsWith("system:") && metadata.namespace !== "kube-system")
    .flatMap((binding) =>
      (binding.subjects ?? []).map(({ kind, name, namespace }) => ({
        key: `${binding.metadata.uid}/${kind}/${namespace ?? ""}/${name}`,
        who: namespace ? `${namespace}/${name}` : name,
        kind,
        role: binding.roleRef.name,
        where: whereOf(binding),
      })),
    )
    .toSorted((a, b) => a.who.localeCompare(b.who));
}

/** An account in the namespace `home`, and its role in `where`, all namespaces with "". */
export function invitation(name: string, role: string, where: string, home: string) {
  const labels = { [INVITED]: "true" };
  return {
    account: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, labels } },
    binding: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: where === "" ? "ClusterRoleBinding" : "RoleBinding",
      metadata: { generateName: `${name}-`, labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", name, namespace: home }],
    },
  };
}
