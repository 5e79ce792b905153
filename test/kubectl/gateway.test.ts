/** Gateways and HTTPRoutes of a whole cluster, whose definitions a user brings, through the proxy of a real node. */
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mainAddress } from "../../agent/node/facts.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";

const HOST = "app.example.com";
const address = mainAddress() ?? "";

let cluster: TestCluster;
let http = 0;
const programs: Server[] = [];

/** Definitions as the Gateway API's, but that anything may be said by them. */
const definition = (kind: string, plural: string, scope = "Namespaced") => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.gateway.networking.k8s.io
  annotations: { api-approved.kubernetes.io: https://github.com/kubernetes-sigs/gateway-api/pull/2997 }
spec:
  group: gateway.networking.k8s.io
  names: { kind: ${kind}, plural: ${plural}, singular: ${kind.toLowerCase()} }
  scope: ${scope}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`;

/** A program in this process that says who it is and what it was sent, behind a Service. */
async function program(name: string): Promise<string> {
  const server = createServer(({ url, headers }, response) => {
    response.setHeader("x-program", name);
    response.end(JSON.stringify({ name, url, headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  programs.push(server);
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: ${(server.address() as { port: number }).port} }]
endpoints: [{ addresses: ["${address}"] }]
`;
}

const GATEWAY = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: front }
spec:
  gatewayClassName: skerry
  listeners: [{ name: web, port: 80, protocol: HTTP, hostname: "*.example.com" }]
`;

const ROUTE = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: app }
spec:
  parentRefs: [{ name: front }]
  hostnames: [${HOST}]
  rules:
    - backendRefs: [{ name: one, port: 80, weight: 3 }, { name: two, port: 80, weight: 1 }, { name: three, port: 80, weight: 0 }]
    - matches: [{ path: { type: PathPrefix, value: / }, headers: [{ name: X-Version, value: three }] }]
      backendRefs: [{ name: three, port: 80 }]
    - matches: [{ path: { type: PathPrefix, value: /old } }]
      filters:
        - type: URLRewrite
          urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /new } }
        - type: RequestHeaderModifier
          requestHeaderModifier: { set: [{ name: x-set, value: here }], remove: [x-secret] }
        - type: ResponseHeaderModifier
          responseHeaderModifier: { add: [{ name: x-answered, value: "yes" }], remove: [x-program] }
      backendRefs: [{ name: two, port: 80 }]
    - matches: [{ path: { type: Exact, value: /gone } }]
      filters: [{ type: RequestRedirect, requestRedirect: { scheme: https, hostname: other.example.com, statusCode: 301 } }]
    - matches: [{ path: { type: Exact, value: /nowhere } }]
      backendRefs: [{ name: missing, port: 80 }]
`;

type Got = { status: number; headers: IncomingHttpHeaders; text: string };

function ask(path = "/", headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: http, path, agent: false, headers: { host: HOST, ...headers } };
    const sent = request(options, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

type Said = { name: string; url: string; headers: IncomingHttpHeaders };
const said = async (...asked: Parameters<typeof ask>) => JSON.parse((await ask(...asked)).text) as Said;

type Conditions = { type: string; status: string; reason: string }[];
const words = (conditions: Conditions = []) =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));

beforeAll(async () => {
  http = await freePort();
  const flags = ["--node-name", "node-a", "--ingress-http-port", String(http), "--ingress-https-port", "0"];
  cluster = await TestCluster.start({ flags });
  const definitions = [
    definition("GatewayClass", "gatewayclasses", "Cluster"),
    definition("Gateway", "gateways"),
    definition("HTTPRoute", "httproutes"),
    definition("ReferenceGrant", "referencegrants"),
  ];
  const services = await Promise.all(["one", "two", "three"].map(program));
  await cluster.apply([...definitions, ...services].join("\n---\n"));
  await cluster.ok("wait --for=condition=Established crd --all --timeout=120s");
});

afterAll(async () => {
  for (const server of programs) {
    server.close();
    server.closeAllConnections();
  }
  await cluster?.stop();
});

test("a class is there once its definition is, and a gateway is programmed when a node serves it", async () => {
  const ofClass = await eventually("the class is accepted", async () => {
    const found = await cluster.json<{ status?: { conditions?: Conditions } }>("get gatewayclass skerry");
    return found.status?.conditions;
  });
  expect(words(ofClass)).toEqual({ Accepted: "True Accepted" });
  await cluster.apply(`${GATEWAY}\n---\n${ROUTE}`);
  type Told = {
    status: { addresses: { value: string }[]; conditions: Conditions; listeners: { attachedRoutes: number }[] };
  };
  const gateway = await eventually("the gateway is programmed", async () => {
    const found = await cluster.json<Told>("get gateway front");
    const { conditions, listeners } = found.status ?? {};
    return words(conditions).Programmed === "True Programmed" && listeners?.[0]?.attachedRoutes === 1 && found;
  });
  expect(gateway.status.addresses).toHaveLength(1);
  expect(gateway.status.listeners).toMatchObject([{ name: "web", attachedRoutes: 1 }]);
  type Route = { status?: { parents?: { controllerName: string; conditions: Conditions }[] } };
  const parents = await eventually("the route is told of", async () => {
    const route = await cluster.json<Route>("get httproute app");
    return route.status?.parents;
  });
  expect(parents).toHaveLength(1);
  expect(words(parents[0]?.conditions)).toEqual({
    Accepted: "True Accepted",
    ResolvedRefs: "False BackendNotFound",
  });
});

describe("requests through the node", () => {
  test("are shared by weight, and led by headers", async () => {
    await eventually("the node serves the route", async () => (await ask().catch(() => undefined))?.status === 200);
    const names = await Promise.all(Array.from({ length: 200 }, async () => (await said()).name));
    const share = names.filter((name) => name === "one").length / names.length;
    expect(new Set(names)).toEqual(new Set(["one", "two"]));
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThan(0.95);
    expect((await said("/deep", { "x-version": "three" })).name).toBe("three");
  });

  test("are rewritten, sent on or refused as rules say", async () => {
    const rewritten = await said("/old/path?q=1", { "x-secret": "s" });
    expect(rewritten).toMatchObject({ name: "two", url: "/new/path?q=1", headers: { "x-set": "here" } });
    expect(rewritten.headers["x-secret"]).toBeUndefined();
    const { headers } = await ask("/old");
    expect([headers["x-answered"], headers["x-program"]]).toEqual(["yes", undefined]);
    const moved = await ask("/gone?q=1");
    expect([moved.status, moved.headers.location]).toEqual([301, "https://other.example.com/gone?q=1"]);
    expect((await ask("/nowhere")).status).toBe(500);
    expect((await ask("/", { host: "other.example.com" })).status).toBe(404);
    expect((await ask("/", { host: "example.org" })).status).toBe(404);
  });
});

test("when its gateways are gone nobody listens", async () => {
  await cluster.ok("delete gateway front");
  await eventually("the port is closed", () =>
    ask().then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
    ),
  );
});
