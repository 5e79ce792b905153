import { expect, test } from "vitest";
import { defineKind } from "./define-kind.ts";
import type { Kind } from "./kind.ts";
import { loadDescriptions } from "./openapi/descriptions.ts";
import { openapiV2, openapiV3, openapiV3Index } from "./openapi.ts";
import { Kinds } from "./registry.ts";

const Deployment = defineKind({ schema: "io.k8s.api.apps.v1.Deployment" });
const PersistentVolume = defineKind({ schema: "io.k8s.api.core.v1.PersistentVolume" });
const CronTab: Kind = {
  ...(Deployment as Kind),
  group: "stable.example.com",
  kind: "CronTab",
  listKind: "CronTabList",
  resource: "crontabs",
  groupResource: "crontabs.stable.example.com",
  apiVersion: "stable.example.com/v1",
  subresources: [],
  schema: { type: "object", fields: { spec: { type: "object", fields: { n: { type: "string", nullable: true } } } } },
};
const declared = {
  type: "object",
  description: "A CronTab.",
  properties: { spec: { type: "object", properties: { n: { type: "string", nullable: true, description: "N." } } } },
};

type Operation = { "x-kubernetes-group-version-kind": object; parameters: { name: string }[]; requestBody: Content };
type Content = { content: Record<string, object> };
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Record<string, unknown>> };
  definitions: Record<string, Record<string, unknown>>;
};
const document = (kinds: Kinds, path: string) => JSON.parse(openapiV3(kinds, path)?.text ?? "null") as Document;

test("a list path tells the kind, and the kind its definition: what explain looks for", () => {
  const { paths, components } = document(new Kinds([Deployment]), "apis/apps/v1");
  const gvk = { group: "apps", kind: "Deployment", version: "v1" };
  expect(paths["/apis/apps/v1/namespaces/{namespace}/deployments"]?.get?.["x-kubernetes-group-version-kind"]).toEqual(
    gvk,
  );
  const described = components.schemas["io.k8s.api.apps.v1.Deployment"];
  expect(described?.["x-kubernetes-group-version-kind"]).toEqual([gvk]);
  expect(described?.properties).toMatchObject({
    spec: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec" }], default: {} },
  });
});

test("a patch takes fieldValidation, and strategic merge only for built-in kinds: what apply looks for", () => {
  const kinds = new Kinds([Deployment, CronTab]);
  const patch = (path: string, base: string) => document(kinds, path).paths[`${base}/{name}`]?.patch;
  const builtin = patch("apis/apps/v1", "/apis/apps/v1/namespaces/{namespace}/deployments");
  expect(builtin?.parameters.map((p) => p.name)).toEqual(["dryRun", "fieldManager", "fieldValidation", "force"]);
  expect(Object.keys(builtin?.requestBody.content ?? {})).toContain("application/strategic-merge-patch+json");
  const custom = patch("apis/stable.example.com/v1", "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs");
  expect(Object.keys(custom?.requestBody.content ?? {})).toEqual([
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
  ]);
});

test("list keys, patch keys and granular maps are published", () => {
  const pod = document(new Kinds([Deployment]), "apis/apps/v1").components.schemas["io.k8s.api.core.v1.PodSpec"];
  expect(pod?.properties).toMatchObject({
    volumes: {
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-list-type": "map",
      "x-kubernetes-patch-merge-key": "name",
      "x-kubernetes-patch-strategy": "merge,retainKeys",
    },
  });
  const volume = document(new Kinds([PersistentVolume]), "api/v1").components.schemas;
  expect(volume["io.k8s.api.core.v1.PersistentVolumeSpec"]?.properties).toMatchObject({
    claimRef: { "x-kubernetes-map-type": "granular" },
  });
});

test("a custom resource is published as declared, with the fields that all objects have", () => {
  const kinds = new Kinds([{ ...CronTab, openapi: declared }]);
  const three = document(kinds, "apis/stable.example.com/v1").components.schemas["com.example.stable.v1.CronTab"];
  expect(three).toMatchObject({ description: "A CronTab.", properties: declared.properties });
  expect(three?.properties).toHaveProperty("metadata");
  const two = (JSON.parse(openapiV2(kinds).text) as Document).definitions;
  expect(two["com.example.stable.v1.CronTab"]?.properties).toMatchObject({
    spec: { properties: { n: { description: "N." } } },
  });
  expect(JSON.stringify(two["com.example.stable.v1.CronTab"])).not.toContain("nullable");
  expect(two).toHaveProperty(["com.example.stable.v1.CronTabList"]);
});

test("definitions and their fields are described once the texts are there", async () => {
  const kinds = new Kinds([Deployment, { ...CronTab, openapi: declared }]);
  await loadDescriptions();
  const { schemas } = document(kinds, "apis/apps/v1").components;
  expect(schemas["io.k8s.api.apps.v1.Deployment"]?.description).toMatch(/^Deployment enables declarative updates/);
  expect(schemas["io.k8s.api.apps.v1.DeploymentSpec"]?.properties).toMatchObject({
    replicas: { description: expect.stringMatching(/^Number of desired pods\./) },
  });
  const custom = document(kinds, "apis/stable.example.com/v1").components.schemas["com.example.stable.v1.CronTab"];
  expect(custom?.properties).toMatchObject({
    apiVersion: { description: expect.stringContaining("the versioned schema of this representation") },
  });
});

test("values that a description lists are an enumeration, and empty items have what Go writes for them", async () => {
  await loadDescriptions();
  const pod = document(new Kinds([Deployment]), "apis/apps/v1").components.schemas["io.k8s.api.core.v1.PodSpec"];
  expect(pod?.properties).toMatchObject({
    restartPolicy: { enum: ["Always", "Never", "OnFailure"] },
    containers: { items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Container" }], default: {} } },
    nodeSelector: { additionalProperties: { type: "string", default: "" } },
  });
});

test("paths: what is watched the older way, discovery, and which answers there may be", () => {
  const { paths } = document(new Kinds([Deployment, CronTab]), "apis/apps/v1");
  const base = "/apis/apps/v1/namespaces/{namespace}/deployments";
  expect(Object.keys(paths)).toEqual([
    "/apis/apps/v1/",
    "/apis/apps/v1/deployments",
    base,
    `${base}/{name}`,
    `${base}/{name}/scale`,
    `${base}/{name}/status`,
    "/apis/apps/v1/watch/deployments",
    "/apis/apps/v1/watch/namespaces/{namespace}/deployments",
    "/apis/apps/v1/watch/namespaces/{namespace}/deployments/{name}",
  ]);
  expect(paths[base]?.post).toMatchObject({
    operationId: "createAppsV1NamespacedDeployment",
    responses: { 201: { description: "Created" }, 401: { description: "Unauthorized" } },
  });
  expect(paths["/apis/apps/v1/watch/deployments"]?.get).toMatchObject({
    operationId: "watchAppsV1DeploymentListForAllNamespaces",
    "x-kubernetes-action": "watchlist",
  });
});

test("every reference leads to a definition", () => {
  const { definitions, paths } = JSON.parse(
    openapiV2(new Kinds([Deployment, PersistentVolume, CronTab])).text,
  ) as Document;
  const references = JSON.stringify({ definitions, paths }).matchAll(/"#\/definitions\/([^"]+)"/g);
  for (const [, name = ""] of references) expect(definitions).toHaveProperty([name]);
});

test("hashes move only with what they stand for", () => {
  const kinds = new Kinds([Deployment, CronTab]);
  const urls = () =>
    (JSON.parse(openapiV3Index(kinds).text) as { paths: Record<string, { serverRelativeURL: string }> }).paths;
  const before = urls();
  expect(before["apis/apps/v1"]?.serverRelativeURL).toBe(
    `/openapi/v3/apis/apps/v1?hash=${openapiV3(kinds, "apis/apps/v1")?.hash}`,
  );
  kinds.add({ ...CronTab, openapi: declared });
  expect(urls()["apis/apps/v1"]).toEqual(before["apis/apps/v1"]);
  expect(urls()["apis/stable.example.com/v1"]).not.toEqual(before["apis/stable.example.com/v1"]);
  kinds.remove(kinds.find("stable.example.com", "v1", "crontabs") ?? CronTab);
  expect(urls()).not.toHaveProperty(["apis/stable.example.com/v1"]);
  expect(openapiV3(kinds, "apis/stable.example.com/v1")).toBeUndefined();
});
