import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const image = (letter: string) => `registry.test/app@${digest(letter)}`;

const FUNCTIONS = {
  metadata: { name: "functions.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "functions", kind: "Function" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

test("images in use are those of pods, their volumes, the pods that workloads will make or go back to, and custom resources", async () => {
  const { ask } = await testCluster();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "shop" } });
  await ask("POST", "/api/v1/namespaces/shop/serviceaccounts", { metadata: { name: "default" } });
  const post = async (path: string, object: object) =>
    expect((await ask("POST", path.replace("/NAMESPACE", "/namespaces/shop"), object)).code).toBe(201);
  const metadata = { name: "a" };
  const spec = (letter: string, given = {}) => ({ containers: [{ name: "c", image: image(letter) }], ...given });
  await post("/api/v1/NAMESPACE/pods", {
    metadata,
    spec: spec("0", {
      initContainers: [{ name: "i", image: image("1") }],
      volumes: [{ name: "v", image: { reference: image("2") } }],
    }),
  });
  const labels = { app: "a" };
  const workload = (letter: string, given = {}) => ({
    metadata,
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: spec(letter) }, ...given },
  });
  await post("/apis/apps/v1/NAMESPACE/deployments", workload("3", { replicas: 0 }));
  await post("/apis/apps/v1/NAMESPACE/statefulsets", workload("4", { serviceName: "a" }));
  await post("/apis/apps/v1/NAMESPACE/daemonsets", workload("5"));
  await post("/apis/apps/v1/NAMESPACE/replicasets", workload("6"));
  const template = (letter: string) => ({ spec: { template: { spec: spec(letter, { restartPolicy: "Never" }) } } });
  await post("/apis/batch/v1/NAMESPACE/jobs", { metadata, ...template("7") });
  await post("/apis/batch/v1/NAMESPACE/cronjobs", {
    metadata,
    spec: { schedule: "@daily", jobTemplate: template("8") },
  });
  await post("/apis/apps/v1/NAMESPACE/controllerrevisions", {
    metadata,
    revision: 1,
    data: { spec: { template: { $patch: "replace", spec: spec("a") } } },
  });
  await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", FUNCTIONS);
  const named = { image: image("b"), others: [`registry.test/other@${digest("c")}`, "tag:1"] };
  await post("/apis/example.com/v1/NAMESPACE/functions", {
    apiVersion: "example.com/v1",
    kind: "Function",
    metadata,
    spec: named,
  });
  await post("/api/v1/NAMESPACE/configmaps", { metadata, data: { image: image("d") } });
  const pod = (await ask("GET", "/api/v1/namespaces/shop/pods/a")).body;
  const ephemeralContainers = [{ name: "e", image: image("9") }];
  const debugged = { ...pod, spec: { ...pod.spec, ephemeralContainers } };
  expect((await ask("PUT", "/api/v1/namespaces/shop/pods/a/ephemeralcontainers", debugged)).code).toBe(200);

  const { body } = await ask("POST", "/skerry/registry/collect");
  expect(body.used.toSorted()).toEqual(Array.from("0123456789abc", digest));
});
