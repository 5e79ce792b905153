import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const image = (letter: string) => `registry.test/app@${digest(letter)}`;

test("images in use are those of pods, their volumes, and the pods that workloads will make", async () => {
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
  const pod = (await ask("GET", "/api/v1/namespaces/shop/pods/a")).body;
  const ephemeralContainers = [{ name: "e", image: image("9") }];
  const debugged = { ...pod, spec: { ...pod.spec, ephemeralContainers } };
  expect((await ask("PUT", "/api/v1/namespaces/shop/pods/a/ephemeralcontainers", debugged)).code).toBe(200);

  const { body } = await ask("POST", "/skerry/registry/collect");
  expect(body.used.toSorted()).toEqual(Array.from("0123456789", digest));
});
