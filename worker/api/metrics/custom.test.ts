import { expect, test } from "vitest";
import type { NodeTraffic } from "../../protocol/link.ts";
import { testCluster } from "../testing/cluster.ts";

const GROUP = "/apis/custom.metrics.k8s.io/v1beta2";
const SPACE = `${GROUP}/namespaces/default`;
const merge = { "content-type": "application/merge-patch+json" };

/** Two Services, an Ingress and two pods, of which one has been asked. */
async function prepared(silent: string[] = [], by = ["node-a"], areCounted = true) {
  const figures = { perSecond: 2.5, pending: 3, idleMs: 100 };
  const traffic: NodeTraffic = {
    countedMs: 1,
    services: { "default/web": figures },
    ingresses: { "default/shop": { ...figures, pending: 1 } },
    pods: { "10.244.0.2": { ...figures, perSecond: 1 / 30 } },
    ...(areCounted && { connections: { countedMs: 1, services: { "default/web": { ...figures, pending: 7 } } } }),
  };
  const cluster = await testCluster({ traffic: { seen: async () => ({ traffic, by: new Set(by), silent }) } });
  const { ask } = cluster;
  const space = "/api/v1/namespaces/default";
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  for (const name of ["web", "api"])
    await ask("POST", `${space}/services`, {
      metadata: { name, labels: { app: name } },
      spec: { ports: [{ port: 80 }] },
    });
  const backend = { service: { name: "web", port: { number: 80 } } };
  const spec = { defaultBackend: backend };
  await ask("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", { metadata: { name: "shop" }, spec });
  for (const [name, podIP] of [
    ["one", "10.244.0.2"],
    ["two", "10.244.0.3"],
  ]) {
    const containers = [{ name: "c", image: "i" }];
    await ask("POST", `${space}/pods`, { metadata: { name, labels: { app: "web" } }, spec: { containers } });
    await ask("PATCH", `${space}/pods/${name}/status`, { status: { podIP, podIPs: [{ ip: podIP }] } }, merge);
  }
  return cluster;
}

test("a Service's requests, in both versions", async () => {
  const { ask, clock } = await prepared();
  const timestamp = `${new Date(clock.now).toISOString().slice(0, 19)}Z`;
  const described = { kind: "Service", namespace: "default", name: "web", apiVersion: "v1" };
  const { code, body } = await ask("GET", `${SPACE}/services/web/requests_per_second`);
  expect(code).toBe(200);
  const metric = { name: "requests_per_second", selector: null };
  expect(body).toEqual({
    kind: "MetricValueList",
    apiVersion: "custom.metrics.k8s.io/v1beta2",
    metadata: {},
    items: [{ describedObject: described, metric, timestamp, windowSeconds: 30, value: "2500m" }],
  });
  const older = await ask("GET", `${SPACE.replace("v1beta2", "v1beta1")}/services/web/pending_requests`);
  expect(older.body.items).toEqual([
    { describedObject: described, metricName: "pending_requests", timestamp, value: "3", selector: null },
  ]);
});

test("Ingresses and pods, and all of a kind; who was not asked has none", async () => {
  const { ask } = await prepared();
  const values = async (path: string) => {
    const { body } = await ask("GET", `${SPACE}/${path}`);
    return (body.items as { describedObject: { name: string }; value: string }[]).map(
      ({ describedObject, value }) => `${describedObject.name} ${value}`,
    );
  };
  expect(await values("ingresses.networking.k8s.io/shop/pending_requests")).toEqual(["shop 1"]);
  expect(await values("pods/*/requests_per_second?labelSelector=app%3Dweb")).toEqual(["one 33m", "two 0"]);
  expect(await values("pods/*/requests_per_second?labelSelector=app%3Dapi")).toEqual([]);
  expect(await values("services/*/requests_per_second?labelSelector=app")).toEqual(["api 0", "web 2500m"]);
});

test.each([
  ["services/other/requests_per_second", 'services "other" not found'],
  ["ingresses.networking.k8s.io/o/pending_requests", 'ingresses.networking.k8s.io "o" not found'],
  ["services/web/bytes", "the server could not find the requested resource"],
  [
    "services/web/pending_requests?metricLabelSelector=code%3D500",
    "the server could not find the metric pending_requests for services web",
  ],
])("%s is not there", async (path, message) => {
  const { ask } = await prepared();
  const { code, body } = await ask("GET", `${SPACE}/${path}`);
  expect([code, body.message]).toEqual([404, message]);
});

test.each([
  [["node-b"], ["node-a"], 'node "node-b" did not tell what requests it has seen'],
  [["b", "c", "d"], [], 'node "b" and 2 more did not tell what requests it has seen'],
  [[], [], "no node is connected to tell what requests it has seen"],
])("where not all nodes tell there is no figure: %j of %j", async (silent, by, message) => {
  const { ask } = await prepared(silent, by);
  const { code, body } = await ask("GET", `${SPACE}/services/web/requests_per_second`);
  expect([code, body.reason, body.message]).toEqual([503, "ServiceUnavailable", message]);
});

test.each(["labelSelector", "metricLabelSelector"])("a bad %s is a bad request", async (name) => {
  const { ask } = await prepared();
  const { code, body } = await ask("GET", `${SPACE}/services/*/requests_per_second?${name}=a%20b%20c`);
  expect([code, body.reason]).toEqual([400, "BadRequest"]);
});

test("a Service's connections, where all nodes tell of them", async () => {
  const { ask } = await prepared();
  const first = async (metric: string) => {
    const { code, body } = await ask("GET", `${SPACE}/services/web/${metric}`);
    return [code, code === 200 ? (body.items as object[])[0] : body.message];
  };
  expect(await first("connections_per_second")).toMatchObject([200, { value: "2500m", windowSeconds: 30 }]);
  expect(await first("open_connections")).toMatchObject([200, { value: "7" }]);
  expect((await ask("GET", `${SPACE}/pods/one/open_connections`)).code).toBe(404);
  const older = await prepared([], ["node-a"], false);
  const { code, body } = await older.ask("GET", `${SPACE}/services/web/open_connections`);
  expect([code, body.message]).toEqual([503, "a node did not tell what connections it has seen"]);
});

test("discovery and OpenAPI tell of them, until another server is named for the group", async () => {
  const { ask } = await prepared();
  const { body } = await ask("GET", GROUP);
  expect(body.resources).toEqual(
    ["ingresses.networking.k8s.io", "pods", "services"].flatMap((resource) =>
      [
        ...(resource === "services" ? ["connections_per_second", "open_connections"] : []),
        "pending_requests",
        "requests_per_second",
      ].map((metric) => ({
        name: `${resource}/${metric}`,
        singularName: "",
        namespaced: true,
        kind: "MetricValueList",
        verbs: ["get"],
      })),
    ),
  );
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { items } = (await ask("GET", "/apis", undefined, { accept })).body as {
    items: { metadata: { name: string }; versions: { resources: { responseKind: object }[] }[] }[];
  };
  const told = items.find(({ metadata }) => metadata.name === "custom.metrics.k8s.io");
  // Else clients take its pods for pods.
  for (const { responseKind } of told?.versions.flatMap(({ resources }) => resources) ?? [])
    expect(responseKind).toEqual({ group: "", version: "", kind: "" });
  expect(told?.versions).toHaveLength(2);
  const groups = async () =>
    ((await ask("GET", "/apis")).body.groups as { name: string; versions: { version: string }[] }[]).flatMap(
      ({ name, versions }) => (name === "custom.metrics.k8s.io" ? versions.map(({ version }) => version) : []),
    );
  expect(await groups()).toEqual(["v1beta2", "v1beta1"]);
  expect((await ask("GET", "/openapi/v3/apis/custom.metrics.k8s.io/v1beta2")).code).toBe(200);
  expect((await ask("GET", "/openapi/v2")).code).toBe(200);
  const service = { namespace: "default", name: "web" };
  const [group, version] = ["custom.metrics.k8s.io", "v1beta1"];
  const spec = {
    group,
    version,
    service,
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
  };
  await ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", { metadata: { name: `${version}.${group}` }, spec });
  expect(await groups()).toEqual(["v1beta1"]);
  expect((await ask("GET", `${SPACE}/services/web/pending_requests`)).code).toBe(404);
});
