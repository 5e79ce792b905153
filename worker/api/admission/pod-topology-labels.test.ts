import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const PODS = "/api/v1/namespaces/default/pods";
const zone = { "topology.kubernetes.io/zone": "a" };
const pod = (name: string, spec: object = {}) => ({
  metadata: { name, labels: { app: "x" } },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
});

test("a pod gets the labels that tell where its node is, with its binding or when it comes with a node", async () => {
  const { ask } = await testCluster();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  await ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  await ask("POST", "/api/v1/nodes", { metadata: { name: "n", labels: { ...zone, other: "y" } } });
  const placed = await ask("POST", PODS, pod("placed", { nodeName: "n" }));
  expect(placed.body.metadata.labels).toEqual({ app: "x", ...zone });
  await ask("POST", PODS, pod("bound"));
  const binding = { metadata: { name: "bound" }, target: { kind: "Node", name: "n" } };
  expect((await ask("POST", `${PODS}/bound/binding`, binding)).code).toBe(201);
  expect((await ask("GET", `${PODS}/bound`)).body.metadata.labels).toEqual({ app: "x", ...zone });
});
