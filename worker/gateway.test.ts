/** What the Cluster object makes of gateways: what it tells of them, to nodes, and at the edge. */
import { beforeEach, describe, expect, test } from "vitest";
import { type ClusterObject, clusterObject } from "../test/support/cluster-object.ts";
import { GROUP } from "./kinds/gateway/types.ts";
import { INTERNAL_HEADER } from "./lib/internal-headers.ts";
import type { EdgeAnswer, EdgeQuestion } from "./protocol/ingress.ts";
import { PROTOCOL_VERSION } from "./protocol/link.ts";

const API = `/apis/${GROUP}/v1`;
const OWN = `${API}/namespaces/default`;
const HOST = "app.example.com";

let cluster: ClusterObject;

function define(kind: string, plural: string, scope = "Namespaced", properties = {}): Promise<unknown> {
  const schema = { openAPIV3Schema: { type: "object", properties, "x-kubernetes-preserve-unknown-fields": true } };
  return cluster.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    metadata: {
      name: `${plural}.${GROUP}`,
      annotations: { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2997" },
    },
    spec: {
      group: GROUP,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope,
      versions: [{ name: "v1", served: true, storage: true, subresources: { status: {} }, schema }],
    },
  });
}

const typed = (kind: string) => ({ apiVersion: `${GROUP}/v1`, kind });

const listener = { name: "web", port: 80, protocol: "HTTP" };
const secure = { name: "tls", port: 443, protocol: "HTTPS", tls: { certificateRefs: [{ name: "web-tls" }] } };

const gateway = (listeners: object[] = [listener], gatewayClassName = "skerry") =>
  cluster.ask("POST", `${OWN}/gateways`, {
    ...typed("Gateway"),
    metadata: { name: "front" },
    spec: { gatewayClassName, listeners },
  });

const route = (rules: object[], name = "app") =>
  cluster.ask("POST", `${OWN}/httproutes`, {
    ...typed("HTTPRoute"),
    metadata: { name },
    spec: { parentRefs: [{ name: "front" }], hostnames: [HOST], rules },
  });

const service = () =>
  cluster.ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "web" },
    spec: { ports: [{ port: 80 }] },
  });

const secret = (crt: string) => ({
  metadata: { name: "web-tls" },
  type: "kubernetes.io/tls",
  data: { "tls.crt": btoa(crt), "tls.key": btoa("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----") },
});
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

type Conditions = { type: string; status: string; reason: string; observedGeneration: number }[];
type Told = { status?: { conditions?: Conditions; listeners?: Listener[]; parents?: { conditions: Conditions }[] } };
type Listener = { name: string; attachedRoutes: number; conditions: Conditions };

const words = (conditions: Conditions = []) =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));

async function read(path: string): Promise<NonNullable<Told["status"]>> {
  await cluster.settled();
  return (await cluster.ask<Told>("GET", path)).status ?? {};
}

const readRoute = async (name = "app") => words((await read(`${OWN}/httproutes/${name}`)).parents?.[0]?.conditions);
const readListeners = async () =>
  ((await read(`${OWN}/gateways/front`)).listeners ?? []).map(({ conditions }) => words(conditions));

async function ask(question: Partial<EdgeQuestion> = {}, authorization = ""): Promise<EdgeAnswer> {
  const whole = { host: HOST, path: "/", isSecure: true, tried: [], waitedMs: 0, isPage: false, ...question };
  const headers = { [INTERNAL_HEADER]: "ingress", ...(authorization && { authorization }) };
  const request = new Request("https://cluster/", { method: "POST", headers, body: JSON.stringify(whole) });
  return (await (await cluster.host().fetch(request)).json()) as EdgeAnswer;
}

/** What a connected node has been told of a resource since it asked last. */
async function node(name: string): Promise<(resource: string) => Promise<(object | null)[]>> {
  const { token } = await cluster.ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 600 });
  const joined = await cluster.ask<{ token: string }>("POST", "/skerry/join", { token, name });
  const authorization = `Bearer ${joined.token}`;
  await cluster.fetch("GET", `/link/${name}`, undefined, { upgrade: "websocket", authorization });
  const socket = cluster.sockets.find((known) => known.name === name);
  if (!socket) throw new Error("no socket");
  const hello = { type: "hello", version: PROTOCOL_VERSION, agent: "0", node: name, revision: 0 };
  await cluster.host().message(socket, JSON.stringify(hello));
  socket.sent.length = 0;
  return async (resource) => {
    await cluster.settled();
    const sent = socket.sent
      .splice(0)
      .map((text) => JSON.parse(text) as { changes?: { resource: string; object: object | null }[] });
    return sent.flatMap(({ changes = [] }) => changes.flatMap((c) => (c.resource === resource ? [c.object] : [])));
  };
}

beforeEach(async () => {
  cluster = clusterObject();
  await cluster.ask("GET", "/api/v1/namespaces");
  await cluster.settled();
  await define("Gateway", "gateways");
  await define("HTTPRoute", "httproutes");
  await define("GatewayClass", "gatewayclasses", "Cluster");
  await cluster.settled();
});

test("with its definition there is a class, which is accepted", async () => {
  const { conditions } = await read(`${API}/gatewayclasses/skerry`);
  expect(words(conditions)).toEqual({ Accepted: "True Accepted" });
  expect(conditions?.[0]?.observedGeneration).toBe(1);
});

describe("it is told of", () => {
  test("listeners, whether their certificates can be used, once these are there too", async () => {
    await gateway([secure, listener]);
    const good = { Accepted: "True Accepted", Conflicted: "False NoConflicts" };
    expect(await readListeners()).toEqual([
      { ...good, ResolvedRefs: "False InvalidCertificateRef", Programmed: "False Invalid" },
      { ...good, ResolvedRefs: "True ResolvedRefs", Programmed: "False Pending" },
    ]);
    const secrets = "/api/v1/namespaces/default/secrets";
    await cluster.ask("POST", secrets, secret("nonsense"));
    expect((await readListeners())[0]).toMatchObject({ ResolvedRefs: "False InvalidCertificateRef" });
    await cluster.ask("PUT", `${secrets}/web-tls`, secret(CERTIFICATE));
    expect((await readListeners())[0]).toMatchObject({
      ResolvedRefs: "True ResolvedRefs",
      Programmed: "False Pending",
    });
    const { conditions } = await read(`${OWN}/gateways/front`);
    expect(words(conditions)).toEqual({ Accepted: "True Accepted", Programmed: "False AddressNotAssigned" });
  });

  test("routes, whether they lead somewhere, and how many a listener has", async () => {
    await gateway();
    await route([{ backendRefs: [{ name: "web", port: 80 }] }]);
    expect(await readRoute()).toEqual({ Accepted: "True Accepted", ResolvedRefs: "False BackendNotFound" });
    await service();
    expect(await readRoute()).toEqual({ Accepted: "True Accepted", ResolvedRefs: "True ResolvedRefs" });
    expect((await read(`${OWN}/gateways/front`)).listeners).toMatchObject([{ name: "web", attachedRoutes: 1 }]);
    await route([{ filters: [{ type: "ExternalAuth" }] }], "strange");
    expect(await readRoute("strange")).toMatchObject({ Accepted: "False UnsupportedValue" });
    await cluster.ask("DELETE", `${OWN}/httproutes/app`);
    expect((await read(`${OWN}/gateways/front`)).listeners).toMatchObject([{ attachedRoutes: 0 }]);
    await cluster.ask("DELETE", `${OWN}/gateways/front`);
    await cluster.settled();
    expect((await read(`${OWN}/httproutes/strange`)).parents).toEqual([]);
  });

  test("each of them, be the status of another one refused", async () => {
    const none = {
      type: "array",
      maxItems: 0,
      items: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    };
    const status = { type: "object", properties: { parents: none } };
    await define("GRPCRoute", "grpcroutes", "Namespaced", { status });
    await cluster.settled();
    await cluster.ask("POST", `${OWN}/grpcroutes`, {
      ...typed("GRPCRoute"),
      metadata: { name: "app" },
      spec: { parentRefs: [{ name: "front" }], rules: [] },
    });
    await gateway();
    expect(await read(`${OWN}/grpcroutes/app`)).toEqual({});
    expect((await read(`${OWN}/gateways/front`)).listeners).toMatchObject([{ name: "web", attachedRoutes: 1 }]);
  });

  test("nothing of gateways that are another controller's", async () => {
    await cluster.ask("POST", `${API}/gatewayclasses`, {
      ...typed("GatewayClass"),
      metadata: { name: "other" },
      spec: { controllerName: "example.com/other" },
    });
    await gateway([listener], "other");
    await route([{ backendRefs: [{ name: "web", port: 80 }] }]);
    expect(await read(`${OWN}/gateways/front`)).toEqual({});
    expect(await read(`${OWN}/httproutes/app`)).toEqual({});
  });
});

test("at the edge routes lead by all that a request has", async () => {
  await gateway();
  await service();
  await route([
    { matches: [{ headers: [{ name: "Version", value: "2" }] }], backendRefs: [{ name: "web", port: 80 }] },
    {
      matches: [{ method: "POST" }],
      filters: [{ type: "RequestRedirect", requestRedirect: { hostname: "b.com", statusCode: 301 } }],
    },
    { matches: [{ path: { type: "Exact", value: "/none" } }], backendRefs: [{ name: "missing", port: 80 }] },
  ]);
  await cluster.settled();
  expect(await ask({ headers: [["version", "2"]] })).toMatchObject({ to: "nobody", status: 503 });
  const moved = { to: "elsewhere", status: 301, headers: [["location", "https://b.com/x?q"]] };
  expect(await ask({ method: "POST", path: "/x", query: "?q" })).toEqual(moved);
  expect(await ask({ path: "/none" })).toMatchObject({ to: "nobody", status: 500 });
  expect(await ask()).toMatchObject({ to: "nobody", status: 404 });
  expect(await ask({ host: "other.example.com" })).toEqual({ to: "api", counts: "meanwhile" });
});

test("a host that only a listener with TLS has is an app's without it too, and there is nothing for it there", async () => {
  await cluster.ask("POST", "/api/v1/namespaces/default/secrets", secret(CERTIFICATE));
  await gateway([secure]);
  await service();
  await route([{ backendRefs: [{ name: "web", port: 80 }] }]);
  await cluster.settled();
  expect(await ask({ isSecure: false })).toMatchObject({ to: "nobody", status: 404 });
  const once = { to: "api", counts: "once" };
  expect(await ask({ isSecure: false }, await cluster.authorization())).toEqual(once);
  expect(await ask()).toMatchObject({ to: "nobody", status: 503 });
});

test("nodes hear of tables and their certificates when these change, and of statuses nothing", async () => {
  const heard = await node("node-a");
  await cluster.ask("POST", "/api/v1/namespaces/default/secrets", secret(CERTIFICATE));
  expect(await heard("secrets")).toEqual([]);
  await gateway([listener, secure]);
  await cluster.settled();
  const [table, ...more] = await heard("gatewaytables");
  expect(table).toMatchObject({ ports: { 80: { isSecure: false }, 443: { isSecure: true } } });
  expect(more).toEqual([]);
  await route([{ backendRefs: [{ name: "web", port: 80 }] }]);
  expect(await heard("gatewaytables")).toMatchObject([{ ports: { 80: { routes: { rules: { [HOST]: [{}] } } } } }]);
  await cluster.ask("POST", "/api/v1/namespaces", { metadata: { name: "other" } });
  expect(await heard("gatewaytables")).toEqual([]);
  await cluster.ask("DELETE", `${OWN}/gateways/front`);
  expect(await heard("gatewaytables")).toEqual([null]);
});

test("a route that nobody can read changes nothing: nodes and the edge keep what they have, and hear of all else", async () => {
  await gateway();
  await service();
  await route([{ backendRefs: [{ name: "missing", port: 80 }] }]);
  const heard = await node("node-a");
  expect(await ask()).toMatchObject({ status: 500 });
  await cluster.ask("POST", `${OWN}/httproutes`, {
    ...typed("HTTPRoute"),
    metadata: { name: "broken" },
    spec: { parentRefs: [{ name: "front" }], hostnames: [5], rules: [] },
  });
  expect(await heard("gatewaytables")).toEqual([]);
  expect(await ask()).toMatchObject({ status: 500 });
  await route([{ backendRefs: [{ name: "web", port: 80 }] }], "more");
  await cluster.ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "late" },
    spec: { ports: [{ port: 80 }] },
  });
  expect(await heard("services")).toHaveLength(1);
  await cluster.ask("DELETE", `${OWN}/httproutes/broken`);
  expect(await heard("gatewaytables")).toHaveLength(1);
});
