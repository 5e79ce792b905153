import { expect, test } from "vitest";
import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { Model } from "../testing.ts";
import { namingController } from "./naming.ts";

const made = (plural: string, kind: string, group = "example.com", annotations: Record<string, string> = {}) =>
  ({
    metadata: { name: `${plural}.${group}`, annotations },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, listKind: `${kind}List`, singular: kind.toLowerCase() },
      versions: [{ name: "v1", served: true, storage: true }],
    },
  }) as unknown as CustomResourceDefinition;

const told = (model: Model, name: string) =>
  model
    .get(CustomResourceDefinition, name)
    ?.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

test("names that another has are not accepted, and the others are, in kube-apiserver's order", () => {
  const model = new Model([namingController]);
  model.create(CustomResourceDefinition, made("as", "A"));
  model.create(CustomResourceDefinition, made("bs", "A"));
  model.rest();
  const [first, second] = ["as.example.com", "bs.example.com"];
  expect(told(model, first)).toEqual(["NamesAccepted=True NoConflicts", "Established=True InitialNamesAccepted"]);
  expect(told(model, second)).toEqual(["NamesAccepted=False ListKindConflict", "Established=False NotAccepted"]);
  const names = model.get(CustomResourceDefinition, first)?.status?.acceptedNames;
  expect(Object.keys(names ?? {})).toEqual(["plural", "singular", "kind", "listKind"]);
});

test("a definition in a group of the Kubernetes project tells whether it is approved", () => {
  const model = new Model([namingController]);
  const approved = "api-approved.kubernetes.io";
  model.create(CustomResourceDefinition, made("as", "A", "a.k8s.io", { [approved]: "unapproved, for a test" }));
  model.create(CustomResourceDefinition, made("bs", "B", "b.k8s.io", { [approved]: "https://example.com/pull/1" }));
  model.rest();
  expect(told(model, "as.a.k8s.io")).toContain("KubernetesAPIApprovalPolicyConformant=False UnapprovedAnnotation");
  expect(told(model, "bs.b.k8s.io")).toContain("KubernetesAPIApprovalPolicyConformant=True ApprovedAnnotation");
});
