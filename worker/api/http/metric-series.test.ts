import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const asNode = (name: string) => ({ "impersonate-user": `system:node:${name}`, "impersonate-group": "system:nodes" });

async function prepared() {
  let asked = 0;
  const cluster = await testCluster({
    sendFigures: () => {
      asked += 1;
    },
  });
  const { ask } = cluster;
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  for (const name of ["n1", "n2"]) await ask("POST", "/api/v1/nodes", { metadata: { name } });
  return { ask, asked: () => asked };
}

const merge = { "content-type": "application/merge-patch+json" };
const space = "/api/v1/namespaces/default";
const owner = (kind: string, name: string, apiVersion: string) => [
  { apiVersion, kind, name, uid: "u", controller: true },
];

test("a node is granted the workloads of its pods, by the names that outlive revisions and runs", async () => {
  const { ask } = await prepared();
  const pod = async (name: string, metadata: object, nodeName = "n1") => {
    const spec = { nodeName, containers: [{ name: "c", image: "app" }] };
    return (await ask("POST", `${space}/pods`, { metadata: { name, ...metadata }, spec })).body.metadata.uid as string;
  };
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "app" }] } };
  await ask("POST", "/apis/apps/v1/namespaces/default/replicasets", {
    metadata: { name: "web-1", ownerReferences: owner("Deployment", "web", "apps/v1") },
    spec: { selector: { matchLabels: { a: "b" } }, template },
  });
  const [bare, web, gone, odd, far] = [
    await pod("bare", {}),
    await pod("web-1-a", { ownerReferences: owner("ReplicaSet", "web-1", "apps/v1") }),
    await pod("old-1-a", { ownerReferences: owner("ReplicaSet", "old-1", "apps/v1") }),
    await pod("odd", { ownerReferences: owner("services", "web", "v1") }),
    await pod("far", {}, "n2"),
  ];
  const { code, body } = await ask("POST", "/skerry/metrics/grant", undefined, asNode("n1"));
  expect(code).toBe(200);
  expect(body).toEqual({
    node: "n1",
    everyMs: 600_000,
    series: expect.arrayContaining(["node", "default/others", "default/Pod/bare", "default/Deployment/web"]),
    pods: {
      [bare]: "default/Pod/bare",
      [web]: "default/Deployment/web",
      [gone]: "default/ReplicaSet/old-1",
      [odd]: "default/Pod/odd", // whoever its owner says to be, it is nobody's requests
    },
  });
  expect(body.series).not.toContain("default/services/web");
  expect(body.series).not.toContain("default/Pod/far");
  expect(body.pods[far]).toBeUndefined();
  expect((await ask("POST", "/skerry/metrics/grant")).code).toBe(403);
  expect((await ask("POST", "/skerry/metrics/grant", undefined, asNode("n3"))).code).toBe(403);
  expect((await ask("GET", "/skerry/metrics/nodes", undefined, asNode("n1"))).code).toBe(403);
  const annotations = { "skerry.dev/keep-metrics": "false" };
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "kube-system" } });
  await ask("PATCH", "/api/v1/namespaces/kube-system", { metadata: { annotations } }, merge);
  expect((await ask("POST", "/skerry/metrics/grant", undefined, asNode("n1"))).code).toBe(404);
});

test("who may list metrics of pods in a namespace sees that one's, and of nodes those of nodes; nodes are asked for what they hold back", async () => {
  const { ask, asked } = await prepared();
  const rules = [{ verbs: ["list"], apiGroups: ["metrics.k8s.io"], resources: ["pods"] }];
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", { metadata: { name: "r" }, rules });
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
    metadata: { name: "r" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "clerk" }],
  });
  const clerk = (method: string, path: string) => ask(method, path, undefined, { "impersonate-user": "clerk" });
  expect((await clerk("GET", "/skerry/metrics/namespaces/default")).code).toBe(204);
  expect(asked()).toBe(1);
  for (const path of ["namespaces/other", "nodes", "nodes/n1", "namespaces/default%2F..%2Fother"])
    expect((await clerk("GET", `/skerry/metrics/${path}`)).code).toBe(403);
  expect((await clerk("GET", "/skerry/metrics/nodes")).body.message).toContain('cannot list resource "nodes"');
  expect(asked()).toBe(1);
  for (const path of ["namespaces/other", "nodes", "nodes/n1"])
    expect((await ask("GET", `/skerry/metrics/${path}`)).code).toBe(204);
});

test("who may get one Service's requests sees those over time, and of nothing else", async () => {
  const { ask, asked } = await prepared();
  const resources = ["services/requests_per_second"];
  const rules = [{ verbs: ["get"], apiGroups: ["custom.metrics.k8s.io"], resources, resourceNames: ["web"] }];
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", { metadata: { name: "r" }, rules });
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
    metadata: { name: "r" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "clerk" }],
  });
  const clerk = async (of: string) => {
    const path = `/skerry/metrics/namespaces/${of}`;
    return (await ask("GET", path, undefined, { "impersonate-user": "clerk" })).code;
  };
  expect(await clerk("default?requests=services/web")).toBe(204);
  expect(asked()).toBe(1);
  const others = ["services/api", "ingresses/web", "httproutes/web", "services%2Fapi"].map(
    (of) => `default?requests=${of}`,
  );
  for (const of of [...others, "other?requests=services/web", "default"]) expect(await clerk(of)).toBe(403);
  const bad = await ask("GET", "/skerry/metrics/namespaces/default?requests=secrets/web");
  expect(bad).toMatchObject({ code: 400, body: { message: expect.stringContaining("one of services, ingresses") } });
});
