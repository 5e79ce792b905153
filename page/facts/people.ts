/** Who may what. */
import type { Binding } from "../api/objects.ts";

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
