import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const API = "/apis/admissionregistration.k8s.io/v1";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const bob = { "impersonate-user": "bob", "impersonate-group": "dev" };
const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }];
const policy = (name: string, kind: string) => ({
  metadata: { name },
  spec: {
    paramKind: { apiVersion: "v1", kind },
    matchConstraints: { resourceRules: rules },
    validations: [{ expression: "true" }],
  },
});

test("who makes a policy look at parameters must be allowed to read them", async () => {
  const { ask } = await testCluster();
  const names = { metadata: { name: "policies" } };
  await ask("POST", `${RBAC}/clusterroles`, {
    ...names,
    rules: [
      { apiGroups: ["admissionregistration.k8s.io"], resources: ["*"], verbs: ["*"] },
      { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
    ],
  });
  await ask("POST", `${RBAC}/clusterrolebindings`, {
    ...names,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "policies" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "bob" }],
  });
  const create = (resource: string, body: object) => ask("POST", `${API}/${resource}`, body, bob);
  expect((await create("validatingadmissionpolicies", policy("secrets", "Secret"))).code).toBe(201);
  const refused = await create("validatingadmissionpolicies", policy("maps", "ConfigMap"));
  expect(refused.body.details.causes[0]).toMatchObject({
    field: "spec.paramKind",
    message:
      'Forbidden: user &{bob  [dev system:authenticated] map[]} must have "get" permission on all objects of the referenced paramKind (kind=ConfigMap, apiVersion=v1)',
  });
  const bind = (policyName: string) => ({
    metadata: { name: "b" },
    spec: { policyName, validationActions: ["Deny"], paramRef: { selector: {}, parameterNotFoundAction: "Deny" } },
  });
  const bound = await create("validatingadmissionpolicybindings", bind("secrets"));
  expect(bound.body.details.causes[0].message).toContain('does not have "list" permission on the object');
});
