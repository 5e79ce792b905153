import { expect, test } from "vitest";
import type { NodeUsage } from "../../protocol/link.ts";
import { testCluster } from "../testing/cluster.ts";

const space = "/api/v1/namespaces/default";
const GROUP = "/apis/metrics.k8s.io/v1beta1";
const merge = { "content-type": "application/merge-patch+json" };
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const GIB = 1024 ** 3;

/** Two nodes, of which one answers, and pods on each. */
async function prepared() {
  const questions: [string[], boolean][] = [];
  const answers = new Map<string, NodeUsage>();
  const of = async (nodes: readonly string[], pods: boolean) => {
    questions.push([[...nodes], pods]);
    return new Map([...answers].filter(([node]) => nodes.includes(node)));
  };
  const cluster = await testCluster({ usages: { of } });
  const { ask } = cluster;
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  for (const name of ["n1", "n2"])
    await ask("POST", "/api/v1/nodes", { metadata: { name, labels: { zone: name === "n1" ? "a" : "b" } } });
  const pod = async (name: string, nodeName: string, phase = "Running") => {
    const spec = { nodeName, containers: [{ name: "c", image: "app" }] };
    const { body } = await ask("POST", `${space}/pods`, { metadata: { name, labels: { app: name } }, spec });
    await ask("PATCH", `${space}/pods/${name}/status`, { status: { phase } }, merge);
    return body.metadata.uid as string;
  };
  const uids = [await pod("web", "n1"), await pod("over", "n1", "Succeeded"), await pod("far", "n2")];
  const usage = { cpu: 250_000_000, memory: GIB, windowMs: 12_345 };
  const containers = [
    { name: "c", ...usage },
    { name: "d", cpu: 1, memory: 1000, windowMs: 3_000 },
  ];
  const pods = uids.slice(0, 2).map((uid) => ({ uid, containers }));
  answers.set("n1", { at: cluster.clock.now, node: usage, pods });
  return { ...cluster, questions, answers, uids };
}

test("nodes are told of by name, as far as they answer", async () => {
  const { ask, clock, questions } = await prepared();
  const { body } = await ask("GET", `${GROUP}/nodes`);
  const at = `${new Date(clock.now).toISOString().slice(0, 19)}Z`;
  expect(body).toEqual({
    kind: "NodeMetricsList",
    apiVersion: "metrics.k8s.io/v1beta1",
    metadata: { continue: "", resourceVersion: "" },
    items: [
      {
        apiVersion: "metrics.k8s.io/v1beta1",
        kind: "NodeMetrics",
        metadata: { name: "n1", creationTimestamp: at, labels: { zone: "a" } },
        timestamp: at,
        window: "12.345s",
        usage: { cpu: "250m", memory: "1Gi" },
      },
    ],
  });
  expect(questions).toEqual([[["n1", "n2"], false]]);
});

test("only the nodes that matter are asked", async () => {
  const { ask, questions } = await prepared();
  const names = async (path: string) =>
    (await ask("GET", path)).body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  expect(await names(`${GROUP}/nodes?labelSelector=zone%3Db`)).toEqual([]);
  expect(await names(`${GROUP}/nodes?fieldSelector=metadata.name%3Dn1`)).toEqual(["n1"]);
  expect(await names(`${GROUP}/namespaces/default/pods?labelSelector=app%3Dweb`)).toEqual(["web"]);
  expect(await names(`${GROUP}/namespaces/other/pods`)).toEqual([]);
  expect(questions).toEqual([
    [["n2"], false],
    [["n1"], false],
    [["n1"], true],
    [[], true],
  ]);
});

test("pods that run are told of, container by container", async () => {
  const { ask } = await prepared();
  const { body } = await ask("GET", `${GROUP}/pods`);
  expect(body.items).toHaveLength(1);
  expect(body.items[0]).toMatchObject({
    metadata: { name: "web", namespace: "default", labels: { app: "web" } },
    window: "3s",
    containers: [
      { name: "c", usage: { cpu: "250m", memory: "1Gi" } },
      { name: "d", usage: { cpu: "1n", memory: "1k" } },
    ],
  });
  const one = await ask("GET", `${GROUP}/namespaces/default/pods/web`);
  expect(one.body).toEqual(body.items[0]);
});

test("what is not there, and what does not answer, is told apart", async () => {
  const { ask } = await prepared();
  const messageOf = async (path: string) => {
    const { code, body } = await ask("GET", `${GROUP}/${path}`);
    return [code, body.message];
  };
  expect(await messageOf("nodes/n3")).toEqual([404, 'nodes "n3" not found']);
  expect(await messageOf("nodes/n2")).toEqual([404, 'nodemetrics.metrics.k8s.io "n2" not found']);
  expect(await messageOf("namespaces/default/pods/x")).toEqual([404, 'pods "x" not found']);
  expect(await messageOf("namespaces/default/pods/far")).toEqual([
    404,
    'podmetrics.metrics.k8s.io "default/far" not found',
  ]);
  expect((await ask("GET", `${GROUP}/nodes?labelSelector=a%3D%3D%3D`)).code).toBe(400);
});

test("a pod of the same name is another pod", async () => {
  const { ask, answers, uids } = await prepared();
  const n1 = answers.get("n1") as NodeUsage;
  answers.set("n1", { ...n1, pods: n1.pods?.map((pod) => ({ ...pod, uid: `${uids[0]}-before` })) });
  expect((await ask("GET", `${GROUP}/pods`)).body.items).toEqual([]);
});

test("tables have what metrics-server's have", async () => {
  const { ask } = await prepared();
  const { body } = await ask("GET", `${GROUP}/pods`, undefined, { accept: TABLE });
  expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "cpu", "memory", "Window"]);
  expect(body.rows.map(({ cells }: { cells: unknown[] }) => cells)).toEqual([
    ["web", "250000001n", "1073742824", "3s"],
  ]);
});

test("nothing but reading is served", async () => {
  const { ask } = await prepared();
  expect((await ask("DELETE", `${GROUP}/nodes/n1`)).code).toBe(405);
  expect((await ask("POST", `${GROUP}/nodes`, { metadata: { name: "x" } })).code).toBe(405);
  expect((await ask("GET", `${GROUP}/nodes?watch=true`)).code).toBe(405);
});

test("discovery, OpenAPI and rights know the group like any other", async () => {
  const { ask } = await prepared();
  const groups = (await ask("GET", "/apis")).body.groups as { name: string }[];
  expect(groups.map(({ name }) => name)).toContain("metrics.k8s.io");
  const { resources } = (await ask("GET", GROUP)).body;
  expect(resources).toEqual([
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ]);
  const { paths } = (await ask("GET", "/openapi/v3")).body;
  expect(paths).toHaveProperty(["apis/metrics.k8s.io/v1beta1"]);
  const document = (await ask("GET", `/openapi/v3${GROUP}`)).body;
  expect(Object.keys(document.paths)).toContain(`${GROUP}/namespaces/{namespace}/pods/{name}`);
  const refused = await ask("GET", `${GROUP}/nodes`, undefined, { "impersonate-user": "jane" });
  expect(refused.body.message).toBe(
    'nodes.metrics.k8s.io is forbidden: User "jane" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope',
  );
});

test("a server that an APIService names is asked instead", async () => {
  const { ask, api } = await prepared();
  expect(api.serverOf(`${GROUP}/nodes`)).toBeUndefined();
  const spec = {
    group: "metrics.k8s.io",
    version: "v1beta1",
    service: { namespace: "default", name: "metrics" },
    insecureSkipTLSVerify: true,
    groupPriorityMinimum: 100,
    versionPriority: 100,
  };
  const name = "v1beta1.metrics.k8s.io";
  await ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", { metadata: { name }, spec });
  expect(api.serverOf(`${GROUP}/nodes`)).toMatchObject({ name });
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { items } = (await ask("GET", "/apis", undefined, { accept })).body;
  const group = items.filter(({ metadata }: { metadata: { name: string } }) => metadata.name === "metrics.k8s.io");
  expect(group).toEqual([
    { metadata: { name: "metrics.k8s.io" }, versions: [{ version: "v1beta1", freshness: "Stale" }] },
  ]);
  await ask("DELETE", `/apis/apiregistration.k8s.io/v1/apiservices/${name}`);
  expect((await ask("GET", `${GROUP}/nodes`)).code).toBe(200);
});
