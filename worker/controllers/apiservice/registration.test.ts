import { expect, test } from "vitest";
import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { APIService } from "../../kinds/apiregistration/api-service.ts";
import { Model } from "../testing.ts";
import { crdRegistrationController } from "./registration.ts";

const version = (name: string, served = true) => ({
  name,
  served,
  storage: name === "v1",
  schema: { openAPIV3Schema: { type: "object" } },
});
const definition = (plural: string, versions = [version("v1"), version("v2")]) =>
  ({
    metadata: { name: `${plural}.example.com` },
    spec: { group: "example.com", scope: "Cluster", names: { plural, kind: plural }, versions },
  }) as CustomResourceDefinition;

function cluster() {
  const model = new Model([crdRegistrationController]);
  const names = () => {
    model.rest();
    return model.list(APIService).map(({ metadata }) => metadata.name);
  };
  return { model, names };
}

test("served versions of definitions have APIServices, as long as any definition serves them", () => {
  const { model, names } = cluster();
  const roses = model.create(CustomResourceDefinition, definition("roses"));
  model.create(CustomResourceDefinition, definition("lilies", [version("v1")]));
  expect(names()).toEqual(["v1.example.com", "v2.example.com"]);
  expect(model.get(APIService, "v1.example.com")).toMatchObject({
    metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "true" } },
    spec: { group: "example.com", version: "v1", groupPriorityMinimum: 1000, versionPriority: 100 },
  });
  model.edit(CustomResourceDefinition, roses, (copy) =>
    Object.assign(copy.spec, { versions: [version("v1"), version("v2", false)] }),
  );
  expect(names()).toEqual(["v1.example.com"]);
  model.delete(CustomResourceDefinition, roses);
  expect(names()).toEqual(["v1.example.com"]);
});

test("they are kept as they should be, and those of others let be", () => {
  const { model, names } = cluster();
  const spec = { group: "example.com", version: "v2", groupPriorityMinimum: 5, versionPriority: 5 };
  model.create(APIService, { metadata: { name: "v2.example.com" }, spec } as APIService);
  const roses = model.create(CustomResourceDefinition, definition("roses"));
  names();
  model.edit(APIService, model.get(APIService, "v1.example.com") as APIService, (copy) => {
    copy.spec.versionPriority = 1;
  });
  names();
  expect(model.get(APIService, "v1.example.com")?.spec.versionPriority).toBe(100);
  model.delete(APIService, model.get(APIService, "v1.example.com") as APIService);
  expect(names()).toEqual(["v1.example.com", "v2.example.com"]);
  model.delete(CustomResourceDefinition, roses);
  expect(names()).toEqual(["v2.example.com"]);
  expect(model.get(APIService, "v2.example.com")?.spec.versionPriority).toBe(5);
});
