/** Groups of other API servers: one on the node, behind a Service, as metrics-server and its like are. */
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client } from "../support/client.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { ExtensionServer, json } from "../support/extension.ts";

const GROUP = "/apis/metrics.k8s.io/v1beta1";
const REGISTERED = "v1beta1.metrics.k8s.io";

let cluster: TestCluster;
let server: ExtensionServer;
let address: string;
let frontProxy: string;

beforeAll(async () => {
  cluster = await TestCluster.start();
  server = await ExtensionServer.make("metrics.monitoring.svc");
  const published = await cluster.json<{ data: Record<string, string> }>(
    "get configmap extension-apiserver-authentication -n kube-system",
  );
  expect(published.data["requestheader-allowed-names"]).toBe('["front-proxy-client"]');
  frontProxy = published.data["requestheader-client-ca-file"] ?? "";
  address = await cluster.ok(`get node node-a -o jsonpath={.status.addresses[?(@.type=="InternalIP")].address}`);
  serveMetrics();
  await cluster.ok("create namespace monitoring");
});
afterAll(async () => {
  await server?.stop();
  await cluster?.stop();
});

function serveMetrics(): void {
  const resource = (name: string, kind: string, namespaced: boolean) => ({
    name,
    singularName: "",
    namespaced,
    kind,
    verbs: ["get", "list"],
  });
  const usage = { cpu: "250m", memory: "512Mi" };
  const node = { metadata: { name: "node-a" }, timestamp: "2026-01-02T03:04:05Z", window: "10s", usage };
  server.handlers.set(
    GROUP,
    json({
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: "metrics.k8s.io/v1beta1",
      resources: [resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)],
    }),
  );
  server.handlers.set(
    `${GROUP}/nodes`,
    json({ kind: "NodeMetricsList", apiVersion: "metrics.k8s.io/v1beta1", metadata: {}, items: [node] }),
  );
  server.handlers.set(
    "/openapi/v3",
    json({ paths: { "apis/metrics.k8s.io/v1beta1": { serverRelativeURL: `/openapi/v3${GROUP}?hash=1` } } }),
  );
  server.handlers.set(`/openapi/v3${GROUP}`, json({ openapi: "3.0.0", info: { title: "theirs", version: "1" } }));
}

const status = () => cluster.ok(`get apiservice ${REGISTERED} --no-headers`);
const raw = (path: string) => cluster.kubectl(["get", "--raw", path]);
const says = (words: string | RegExp) =>
  eventually(`the APIService says ${words}`, async () => new RegExp(words).test(await status()));
/** The server is asked at other times too, whether it is well. */
const lastHeard = (path: string) => server.heard.findLast((heard) => heard.path === path);

async function apiAddress(): Promise<{ url: string; ca: string }> {
  const config = await cluster.json<{ clusters: { cluster: Record<string, string> }[] }>("config view --raw");
  const { server: url = "", "certificate-authority-data": ca = "" } = config.clusters[0]?.cluster ?? {};
  return { url, ca: Buffer.from(ca, "base64").toString() };
}

async function api(): Promise<Client> {
  const { url, ca } = await apiAddress();
  return new Client(url, ca);
}

async function asAdministrator(): Promise<Record<string, string>> {
  const token = await cluster.ok("config view --raw -o jsonpath={.users[0].user.token}");
  return { authorization: `Bearer ${token}` };
}

describe("an APIService says how it goes with its server", () => {
  test("there is no Service", async () => {
    await cluster.apply(`
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: ${REGISTERED} }
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: ${Buffer.from(server.ca).toString("base64")}
  service: { name: metrics, namespace: monitoring }
`);
    await says(/monitoring\/metrics\s+False \(ServiceNotFound\)/);
    const refused = await raw(`${GROUP}/nodes`);
    expect(refused.stderr).toContain("the server is currently unable to handle the request");
  });

  test("its group is named all the same, and told to be stale", async () => {
    expect(await cluster.ok(["get", "--raw", "/apis"])).toContain('"groupVersion":"metrics.k8s.io/v1beta1"');
    const client = await api();
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const { text } = await client.send({
      method: "GET",
      path: "/apis",
      headers: { ...(await asAdministrator()), accept },
    });
    client.close();
    const { items } = JSON.parse(text) as { items: { metadata: { name: string }; versions: object[] }[] };
    expect(items.at(-1)).toEqual({
      metadata: { name: "metrics.k8s.io" },
      versions: [{ version: "v1beta1", freshness: "Stale" }],
    });
  });

  test("no pod stands behind the Service", async () => {
    const port = await server.start(address, frontProxy);
    await server.stop();
    await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: metrics, namespace: monitoring }
spec:
  selector: { app: metrics }
  ports: [{ port: 443, targetPort: ${port} }]
`);
    await says(/False \(MissingEndpoints\)/);
  });

  test("the pod does not answer", async () => {
    // The test itself answers, in the name of a pod on the node's network.
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: metrics, namespace: monitoring, labels: { app: metrics } }
spec:
  hostNetwork: true
  containers: [{ name: c, image: "busybox:test", command: [sleep, "6000"] }]
`);
    await says(/False \(FailedDiscoveryCheck\)/);
    await eventually("it says why", async () =>
      /^failing or missing response from https:.*: dial tcp .*: connect: connection refused$/.test(
        await cluster.ok(`get apiservice ${REGISTERED} -o jsonpath={.status.conditions[0].message}`),
      ),
    );
  });

  test("it answers at last", async () => {
    await server.start(address, frontProxy);
    await says(/monitoring\/metrics\s+True/);
    expect(await cluster.ok(`get apiservice ${REGISTERED} -o jsonpath={.status.conditions[0].message}`)).toBe(
      "all checks passed",
    );
  });
});

describe("requests", () => {
  test("kubectl top shows what a metrics server says", async () => {
    expect(await cluster.ok("top nodes --no-headers")).toMatch(/^node-a\s+250m\s+\d+%\s+512Mi/);
    expect(await cluster.ok("api-resources --api-group=metrics.k8s.io --no-headers")).toMatch(/nodes\s.*NodeMetrics/);
  });

  test("say who asks, with the front proxy's certificate and nothing of the client's own", async () => {
    const client = await api();
    await cluster.ok("create clusterrole metrics-reader --verb=get,list --resource=nodes.metrics.k8s.io");
    await cluster.ok("create clusterrolebinding robot --clusterrole=metrics-reader --serviceaccount=default:default");
    const token = (await cluster.ok("create token default")).trim();
    const headers = {
      authorization: `Bearer ${token}`,
      "x-remote-user": "system:admin",
      "x-remote-group": "system:masters",
      "x-remote-extra-scopes": "all",
    };
    const { status: code } = await client.send({ method: "GET", path: `${GROUP}/nodes?limit=7`, headers });
    client.close();
    expect(code).toBe(200);
    const heard = lastHeard(`${GROUP}/nodes`);
    expect(heard?.client).toBe("front-proxy-client");
    expect(heard?.headers["x-remote-user"]).toBe("system:serviceaccount:default:default");
    expect(heard?.headers["x-remote-group"]).toBe(
      "system:serviceaccounts, system:serviceaccounts:default, system:authenticated",
    );
    expect(heard?.headers["x-remote-extra-authentication.kubernetes.io%2fcredential-id"]).toMatch(/^JTI=/);
    expect(heard?.headers["x-remote-extra-scopes"]).toBeUndefined();
    expect(heard?.headers.authorization).toBeUndefined();
  });

  test("that RBAC refuses never arrive", async () => {
    const before = server.heard.length;
    const refused = await cluster.kubectl(["get", "--raw", `${GROUP}/nodes`, "--as=nobody"]);
    expect(refused.stderr).toContain('nodes.metrics.k8s.io is forbidden: User "nobody" cannot list resource "nodes"');
    expect(server.heard.slice(before).filter(({ path }) => path === `${GROUP}/nodes`)).toEqual([]);
  });

  test("arrive whole, however large", async () => {
    server.handlers.set(`${GROUP}/uploads`, (response, { length }) => json({ length })(response, {} as never));
    const client = await api();
    const authorization = await asAdministrator();
    for (const size of [0, 1000, 5_000_000, 20_000_000]) {
      const headers = { ...authorization, "content-type": "application/octet-stream" };
      const body = Buffer.alloc(size, "x");
      const { text } = await client.send({ method: "POST", path: `${GROUP}/uploads`, headers, body });
      expect(JSON.parse(text)).toEqual({ length: size });
    }
    client.close();
  });

  test("have answers that come as they are said", async () => {
    const watched = new Promise<ServerResponse>((resolve) => {
      server.handlers.set(`${GROUP}/pods`, (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.flushHeaders();
        resolve(response);
      });
    });
    const watching = cluster.follow(["get", "--raw", `${GROUP}/pods?watch=1`]);
    const response = await watched;
    response.write('{"type":"ADDED"}\n');
    await eventually("the first is told", async () => watching.said() === '{"type":"ADDED"}\n');
    response.write('{"type":"DELETED"}\n');
    await eventually("the second is told", async () => watching.said() === '{"type":"ADDED"}\n{"type":"DELETED"}\n');
    await watching.stop();
  });

  test("open WebSockets", async () => {
    const { url, ca } = await apiAddress();
    const headers = await asAdministrator();
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}${GROUP}/consoles/a`, ["text"], { ca, headers });
    const heard: string[] = [];
    socket.on("message", (data) => heard.push(String(data)));
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    expect(socket.protocol).toBe("text");
    socket.send("hello");
    await eventually("it is echoed", async () => heard.includes("hello"));
    socket.close();
    const { client, headers: said } = lastHeard(`${GROUP}/consoles/a`) ?? {};
    expect([client, said?.["x-remote-user"]]).toEqual(["front-proxy-client", "kubernetes-admin"]);
    expect(said?.["x-remote-group"]).toBe("system:masters, system:authenticated");
  });

  test("may not be led elsewhere", async () => {
    server.handlers.set(`${GROUP}/nodes/away`, (response) =>
      response.writeHead(302, { location: "https://example.com/" }).end(),
    );
    const refused = await raw(`${GROUP}/nodes/away`);
    expect(refused.code).toBe(1);
    expect(lastHeard(`${GROUP}/nodes/away`)).toBeDefined();
    expect(refused.all).not.toContain("example.com");
  });

  test("for OpenAPI documents find the server's own", async () => {
    const index = JSON.parse(await cluster.ok(["get", "--raw", "/openapi/v3"]));
    const { serverRelativeURL } = index.paths["apis/metrics.k8s.io/v1beta1"];
    expect(JSON.parse(await cluster.ok(["get", "--raw", serverRelativeURL])).info.title).toBe("theirs");
  });

  test("for custom resources stay here", async () => {
    await cluster.apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: flowers.shop.example.com }
spec:
  group: shop.example.com
  scope: Namespaced
  names: { plural: flowers, kind: Flower }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
`);
    await cluster.ok("wait --for=condition=Established crd/flowers.shop.example.com");
    await eventually("its group is served", async () =>
      /Local\s+True/.test(await cluster.ok("get apiservice v1.shop.example.com --no-headers")),
    );
    await cluster.apply(
      "apiVersion: shop.example.com/v1\nkind: Flower\nmetadata: { name: rose, annotations: { a: b } }\nspec: { red: true }\n",
    );
    expect(await cluster.ok("get flowers -o jsonpath={.items[*].spec.red}")).toBe("true");
    const tooLarge = await cluster.kubectl("create -f -", {
      input: JSON.stringify({
        apiVersion: "shop.example.com/v1",
        kind: "Flower",
        metadata: { name: "tree" },
        spec: { text: "x".repeat(4_000_000) },
      }),
    });
    expect(tooLarge.stderr).toContain("(RequestEntityTooLarge)");
    await cluster.ok("delete crd flowers.shop.example.com");
    await eventually("its group is gone", async () =>
      (await cluster.kubectl("get apiservice v1.shop.example.com")).stderr.includes("NotFound"),
    );
  });
});

describe("the end of a server", () => {
  test("is told to whoever asks, and then of the APIService", async () => {
    await server.stop();
    const refused = await raw(`${GROUP}/nodes`);
    expect(refused.stderr).toMatch(/error trying to reach service: dial tcp .*: connect: connection refused/);
    await cluster.ok("delete pod metrics -n monitoring --grace-period=1");
    await says(/False \(MissingEndpoints\)/);
  });

  test("with the APIService the group is the cluster's own again at once", async () => {
    await cluster.ok(`delete apiservice ${REGISTERED}`);
    const { items } = JSON.parse((await raw(`${GROUP}/nodes`)).stdout) as { items: { usage: { cpu: string } }[] };
    expect(items.map(({ usage }) => usage.cpu)).not.toEqual(["250m"]);
  });
});
