import { ClusterRole } from "../kinds/rbac/cluster-role.ts";
import { type LabelSelector, matchesSelector } from "../lib/selectors.ts";
import type { Controller, View } from "./controller.ts";

type Rule = NonNullable<ClusterRole["rules"]>[number];

const selectorsOf = (role: Readonly<ClusterRole>) => role.aggregationRule?.clusterRoleSelectors ?? [];

const aggregates = (role: Readonly<ClusterRole>, part: Readonly<ClusterRole>): boolean =>
  role.metadata?.name !== part.metadata?.name &&
  selectorsOf(role).some((selector) => matchesSelector(selector as LabelSelector, part.metadata?.labels));

/** The rules of all roles that `role` selects, in the order of their names, each once. */
function union(role: Readonly<ClusterRole>, view: View): Rule[] {
  const seen = new Map<string, Rule>();
  for (const part of view.list(ClusterRole))
    if (aggregates(role, part)) for (const rule of part.rules ?? []) seen.set(JSON.stringify(rule), rule);
  return [...seen.values()];
}

/**
 * Keeps the rules of aggregated ClusterRoles.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
export const clusterRoleAggregation: Controller = {
  name: "clusterrole-aggregation-controller",
  watches: [
    {
      kind: ClusterRole,
      *keys(object, old, view) {
        const { name } = object.metadata ?? {};
        if (selectorsOf(object as ClusterRole).length) yield `/${name}`;
        for (const role of view.list(ClusterRole))
          if (aggregates(role, object as ClusterRole) || (old && aggregates(role, old as ClusterRole)))
            yield `/${role.metadata?.name}`;
      },
    },
  ],
  reconcile(view, key) {
    const role = view.get(ClusterRole, "", key.slice(1));
    if (!role || selectorsOf(role).length === 0) return [];
    const rules = union(role, view);
    if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return [];
    return [{ do: "update", kind: ClusterRole, object: { ...role, rules } as ClusterRole }];
  },
};
