import { expect, test } from "vitest";
import { testCluster } from "./api/testing/cluster.ts";
import { ExtensionServers } from "./extensions.ts";
import { REGISTRATIONS } from "./kinds/apiregistration/api-service.ts";
import type { ProxyRequest } from "./protocol/link.ts";
import type { OwnRequest } from "./protocol/proxy.ts";

const space = "/api/v1/namespaces/default";
const NAME = "v1.shop.example.com";
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function prepared() {
  const { ask, engine, clock } = await testCluster();
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  const spec = { nodeName: "n1", containers: [{ name: "c", image: "app" }] };
  await ask("POST", `${space}/pods`, { metadata: { name: "shop" }, spec });
  const status = { phase: "Running", podIP: "10.244.0.2", podIPs: [{ ip: "10.244.0.2" }] };
  await ask("PATCH", `${space}/pods/shop/status`, { status }, { "content-type": "application/merge-patch+json" });
  await ask("POST", `${space}/services`, { metadata: { name: "shop" }, spec: { ports: [{ port: 443 }] } });
  const targetRef = { kind: "Pod", namespace: "default", name: "shop" };
  const subsets = [{ addresses: [{ ip: "10.244.0.2", targetRef }], ports: [{ port: 8443 }] }];
  await ask("POST", `${space}/endpoints`, { metadata: { name: "shop" }, subsets });
  const service = { namespace: "default", name: "shop" };
  await ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
    metadata: { name: NAME },
    spec: { group: "shop.example.com", version: "v1", service, groupPriorityMinimum: 1, versionPriority: 1 },
  });

  const streams: ProxyRequest[] = [];
  const requests: OwnRequest[] = [];
  const rechecked: string[] = [];
  const node = { connected: true, answer: async () => new Response("{}") };
  const servers = new ExtensionServers({
    clusterName: "default",
    outside: {
      fetch: async () => new Response(),
      exchange: (_name, _grant, request) => {
        requests.push(request);
        return node.answer();
      },
      deadline: () => ({ signal: new AbortController().signal, end: () => undefined }),
    },
    view: engine.view,
    effects: { now: () => clock.now, random: () => 0.5, uid: () => "an id" },
    certificate: async () => ({ certificate: "CERTIFICATE", key: "KEY" }),
    stream: (_node, stream) => node.connected && streams.push(stream as ProxyRequest) > 0,
    recheck: (name) => void rechecked.push(name),
  });
  const extension = engine.view.digest(REGISTRATIONS).get(`/${NAME}`)?.extension;
  if (!extension) throw new Error("not registered");
  return { servers, extension, streams, requests, rechecked, node, clock };
}

const URL = "https://shop.default.svc:443/apis/shop.example.com/v1";

test("the node's agent has the front proxy's certificate, and nobody else", async () => {
  const { servers, streams } = await prepared();
  const tls = { ca: "", serverName: "shop.default.svc" };
  const stream: ProxyRequest = { id: "1", kind: "proxy", scheme: "https", address: "10.244.0.2", port: 8443, tls };
  expect(await servers.granted({ node: "n1", stream })).toEqual({ node: "n1", stream });
  expect(streams).toEqual([{ ...stream, tls: { ...tls, client: { certificate: "CERTIFICATE", key: "KEY" } } }]);
});

test("a node that is not connected cannot be told", async () => {
  const { servers, streams, node } = await prepared();
  node.connected = false;
  const stream: ProxyRequest = { id: "1", kind: "proxy", scheme: "https", address: "10.244.0.2", port: 8443 };
  await expect(servers.granted({ node: "n1", stream })).rejects.toThrow("node n1 is not connected");
  expect(streams).toEqual([]);
});

test("a check asks for the group's document, whoever signed the certificate, once at a time", async () => {
  const { servers, streams, requests, rechecked } = await prepared();
  expect(servers.check(NAME, "a", Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(servers.check(NAME, "a", Number.POSITIVE_INFINITY)).toBeUndefined();
  await settled();
  expect(rechecked).toEqual([NAME]);
  expect(streams[0]?.tls?.insecure).toBe(true);
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({ method: "GET", path: "/apis/shop.example.com/v1" });
  expect(requests[0]?.headers).toContainEqual(["X-Remote-Group", "system:masters"]);
  expect(servers.check(NAME, "a", Number.POSITIVE_INFINITY)?.failed).toBeUndefined();
  expect(requests).toHaveLength(1);
});

test.each([
  ["another status", async () => new Response("", { status: 403 }), `bad status from ${URL}: 403`],
  [
    "no program",
    async () => Response.json({ message: "error trying to reach service: dial tcp: refused" }, { status: 503 }),
    `Get "${URL}": dial tcp: refused`,
  ],
  ["no relay", () => Promise.reject(new Error("gone")), `Get "${URL}": gone`],
])("%s is no answer", async (_, answer, why) => {
  const { servers, node, clock } = await prepared();
  node.answer = answer;
  servers.check(NAME, "a", Number.POSITIVE_INFINITY);
  await settled();
  expect(servers.check(NAME, "a", Number.POSITIVE_INFINITY)).toEqual({
    failed: `failing or missing response from ${URL}: ${why}`,
    at: clock.now,
  });
});

test("an answer is about what was asked, and of its time", async () => {
  const { servers, requests, clock, node } = await prepared();
  node.answer = async () => new Response("", { status: 500 });
  servers.check(NAME, "a", Number.POSITIVE_INFINITY);
  await settled();
  clock.now += 1000;
  expect(servers.check(NAME, "a", 1000)).toBeUndefined();
  await settled();
  expect(requests).toHaveLength(2);
  expect(servers.check(NAME, "b", Number.POSITIVE_INFINITY)).toBeUndefined();
  await settled();
  expect(servers.check(NAME, "b", Number.POSITIVE_INFINITY)?.since).toBe(clock.now);
});

test("a server in use is looked at now and then, more often while it does not answer", async () => {
  const { servers, extension, rechecked, clock } = await prepared();
  const uses = (available: boolean, seconds: number) => {
    rechecked.length = 0;
    for (let second = 0; second < seconds; second++) {
      clock.now += 1000;
      servers.used({ ...extension, available });
    }
    return rechecked.length;
  };
  expect(uses(true, 300)).toBe(10);
  expect(uses(false, 10)).toBe(10);
});

test("a slow answer is waited for, however often its server is used meanwhile", async () => {
  const { servers, extension, requests, rechecked, node, clock } = await prepared();
  let answer: (response: Response) => void = () => undefined;
  node.answer = () => new Promise((resolve) => (answer = resolve));
  servers.check(NAME, "a", Number.POSITIVE_INFINITY);
  await settled();
  for (let second = 0; second < 4; second++) {
    clock.now += 1000;
    servers.used(extension);
    servers.check(NAME, "a", Number.POSITIVE_INFINITY);
    await settled();
  }
  expect([requests.length, rechecked]).toEqual([1, []]);
  answer(new Response("{}"));
  await settled();
  expect(servers.check(NAME, "a", Number.POSITIVE_INFINITY)).toEqual({ failed: undefined, at: clock.now });
});
