import { expect, test } from "vitest";
import { ClusterRole } from "../kinds/rbac/cluster-role.ts";
import { clusterRoleAggregation } from "./cluster-role-aggregation.ts";
import { Model } from "./testing.ts";

const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
const role = (name: string, more: Partial<ClusterRole>): ClusterRole => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name, ...more.metadata },
  rules: more.rules ?? null,
  ...(more.aggregationRule && { aggregationRule: more.aggregationRule }),
});
const toView = { metadata: { labels: { view: "true" } } };
const aggregate = { clusterRoleSelectors: [{ matchLabels: { view: "true" } }] };

function prepared() {
  const model = new Model([clusterRoleAggregation]);
  const rules = () => {
    model.rest();
    return model.get(ClusterRole, "view", "")?.rules;
  };
  return { model, rules };
}

test("an aggregated role has the rules of all roles it selects, by their names, each once", () => {
  const { model, rules } = prepared();
  model.create(ClusterRole, role("view", { aggregationRule: aggregate }));
  model.create(ClusterRole, role("b", { ...toView, rules: [rule("pods"), rule("secrets")] }));
  model.create(ClusterRole, role("a", { ...toView, rules: [rule("services"), rule("pods")] }));
  model.create(ClusterRole, role("other", { rules: [rule("nodes")] }));
  expect(rules()).toEqual([rule("services"), rule("pods"), rule("secrets")]);
});

test("it follows changes, lost labels and deletions", () => {
  const { model, rules } = prepared();
  model.create(ClusterRole, role("view", { aggregationRule: aggregate }));
  const a = model.create(ClusterRole, role("a", { ...toView, rules: [rule("pods")] }));
  const b = model.create(ClusterRole, role("b", { ...toView, rules: [rule("nodes")] }));
  model.edit(ClusterRole, a, (copy) => {
    copy.metadata = { ...copy.metadata, labels: {} };
  });
  expect(rules()).toEqual([rule("nodes")]);
  model.delete(ClusterRole, b);
  expect(rules()).toEqual([]);
});

test("a role that aggregates itself into another reaches it in the end", () => {
  const { model, rules } = prepared();
  model.create(ClusterRole, role("view", { aggregationRule: aggregate }));
  model.create(
    ClusterRole,
    role("middle", { ...toView, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { low: "true" } }] } }),
  );
  model.create(ClusterRole, role("low", { metadata: { labels: { low: "true" } }, rules: [rule("pods")] }));
  expect(rules()).toEqual([rule("pods")]);
});
