import { expect, test } from "vitest";
import type { Extension } from "../../kinds/apiregistration/api-service.ts";
import { testCluster } from "../testing/cluster.ts";
import type { Question, Reply } from "./aggregation.ts";

const space = "/api/v1/namespaces/default";
const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";
const merge = { "content-type": "application/merge-patch+json" };
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const reply = (value: unknown, type = "application/json"): Reply => ({
  status: 200,
  headers: new Headers({ "content-type": type }),
  text: JSON.stringify(value),
});
const nothing: Reply = { status: 404, headers: new Headers(), text: "" };

/** A cluster with a Service of one pod, `shop`, that serves what `replies` says by path. */
async function prepared(replies: Record<string, Reply> = {}) {
  const asked: string[] = [];
  const used: string[] = [];
  const server = { down: false };
  const get = async ({ group, version }: Extension, { path, as }: Question) => {
    asked.push(`${group}/${version} ${path} ${as.name}`);
    if (server.down) throw new Error("down");
    return replies[path] ?? nothing;
  };
  const cluster = await testCluster({ extensions: { get, used: ({ name }) => void used.push(name) } });
  const { ask, api } = cluster;
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  const container = { name: "c", image: "app" };
  await ask("POST", `${space}/pods`, { metadata: { name: "shop" }, spec: { nodeName: "n1", containers: [container] } });
  const status = { phase: "Running", podIP: "10.244.0.2", podIPs: [{ ip: "10.244.0.2" }] };
  await ask("PATCH", `${space}/pods/shop/status`, { status }, merge);
  await ask("POST", `${space}/services`, { metadata: { name: "shop" }, spec: { ports: [{ port: 443 }] } });
  const targetRef = { kind: "Pod", namespace: "default", name: "shop" };
  const subsets = [{ addresses: [{ ip: "10.244.0.2", targetRef }], ports: [{ port: 8443 }] }];
  await ask("POST", `${space}/endpoints`, { metadata: { name: "shop" }, subsets });

  async function register(version: string, group: string, spec: object = {}, available = "True") {
    const name = `${version}.${group}`;
    const service = { namespace: "default", name: "shop" };
    const common = { group, version, service, groupPriorityMinimum: 100, versionPriority: 10 };
    const { code } = await ask("POST", apiServices, { metadata: { name }, spec: { ...common, ...spec } });
    expect(code).toBe(201);
    const conditions = [{ type: "Available", status: available }];
    await ask("PATCH", `${apiServices}/${name}/status`, { status: { conditions } }, merge);
  }

  async function forward(path: string, headers: Record<string, string> = {}) {
    const server = api.serverOf(path);
    if (!server) return undefined;
    const init = { headers: { authorization: "Bearer admin", ...headers } };
    return api.authorizeForward(new Request(`https://cluster${path}`, init), server);
  }
  return { ...cluster, register, forward, asked, used, server };
}

test("a group with a Service is asked of its pod, by TLS as the APIService says", async () => {
  const { register, forward, used } = await prepared();
  await register("v1", "shop.example.com", { caBundle: btoa("PEM") });
  await register("v1", "lax.example.com", { insecureSkipTLSVerify: true });
  const granted = { node: "n1", stream: { kind: "proxy", scheme: "https", address: "10.244.0.2", port: 8443 } };
  const tls = { ca: "PEM", serverName: "shop.default.svc" };
  const group = "/apis/shop.example.com/v1";
  for (const path of [group, `${group}/namespaces/default/roses`, `/openapi/v3${group}`])
    expect(await forward(path)).toMatchObject({ grant: { ...granted, stream: { ...granted.stream, tls } } });
  expect(await forward("/apis/lax.example.com/v1")).toMatchObject({
    grant: { stream: { tls: { ca: "", serverName: "shop.default.svc", insecure: true } } },
  });
  expect(used).toContain("v1.shop.example.com");
  for (const path of ["/apis/shop.example.com", "/apis/shop.example.com/v2/roses", "/apis/apps/v1", "/apis", "/api/v1"])
    expect(await forward(path)).toBeUndefined();
});

test("the server is told who asks, and only those may who are allowed to", async () => {
  const { register, forward } = await prepared();
  await register("v1", "shop.example.com");
  const path = "/apis/shop.example.com/v1/roses";
  const asRobot = {
    "impersonate-user": "röbot",
    "impersonate-group": "machines",
    "impersonate-extra-acme.com%2fproject": "a",
  };
  const refused = (await forward(path, asRobot)) as Response;
  expect(refused.status).toBe(403);
  expect(((await refused.json()) as { message: string }).message).toContain(
    'roses.shop.example.com is forbidden: User "röbot" cannot list resource "roses"',
  );
  const groups = [
    ["X-Remote-Group", "system:masters"],
    ["X-Remote-Group", "system:authenticated"],
  ];
  const allowed = { ...asRobot, "impersonate-group": "system:masters" };
  expect(await forward(path, allowed)).toMatchObject({
    headers: [["X-Remote-User", "rÃ¶bot"], ...groups, ["X-Remote-Extra-acme.com%2Fproject", "a"]],
  });
  expect(await forward(path)).toMatchObject({ headers: [["X-Remote-User", "kubernetes-admin"], ...groups] });
});

test("a path means to RBAC what it means to the server", async () => {
  const { register, forward, ask } = await prepared();
  await register("v1", "shop.example.com");
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const rules = [{ verbs: ["get"], apiGroups: ["shop.example.com"], resources: ["roses"] }];
  await ask("POST", `${rbac}/clusterroles`, { metadata: { name: "reader" }, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "robot" }];
  await ask("POST", `${rbac}/clusterrolebindings`, { metadata: { name: "reader" }, roleRef, subjects });
  const rose = "/apis/shop.example.com/v1/namespaces/default/roses/red";
  const statusOf = async (path: string) => {
    const answer = await forward(path, { "impersonate-user": "robot" });
    return answer instanceof Response ? answer.status : "forwarded";
  };
  expect(await statusOf(rose)).toBe("forwarded");
  expect(await statusOf(`${rose}/status`)).toBe(403);
  expect(await statusOf(`${rose}%2Fstatus`)).toBe(403);
  expect(await statusOf(rose.replace("roses", "%72oses"))).toBe("forwarded");
  expect(await statusOf(rose.replace("roses", "%2572oses"))).toBe(403);
  expect(await statusOf(`${rose}%zz`)).toBe(400);
});

test("while a server is not there, it is said so as kube-apiserver says it", async () => {
  const { register, forward, ask } = await prepared();
  await register("v1", "shop.example.com", {}, "False");
  const unavailable = async () => {
    const answer = (await forward("/apis/shop.example.com/v1/roses")) as Response;
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    return [answer.status, await answer.text()];
  };
  expect(await unavailable()).toEqual([503, "service unavailable\n"]);
  await register("v2", "shop.example.com");
  await ask("DELETE", `${space}/endpoints/shop`);
  const gone = (await forward("/apis/shop.example.com/v2/roses")) as Response;
  expect(gone.status).toBe(503);
});

test("a group goes with its APIService", async () => {
  const { register, forward, ask } = await prepared();
  await register("v1", "shop.example.com");
  await ask("DELETE", `${apiServices}/v1.shop.example.com`);
  expect(await forward("/apis/shop.example.com/v1/roses")).toBeUndefined();
  expect((await ask("GET", "/apis/shop.example.com")).code).toBe(404);
  expect((await ask("GET", "/apis")).body.groups.map(({ name }: { name: string }) => name)).not.toContain(
    "shop.example.com",
  );
});

test("groups are listed by the priorities of their APIServices, after what is built in where those are equal", async () => {
  const { register, ask } = await prepared();
  await register("v1alpha1", "low.example.com", { groupPriorityMinimum: 10 });
  await register("v1", "shop.example.com", { versionPriority: 10 });
  await register("v2", "shop.example.com", { versionPriority: 5 });
  await register("v1", "first.example.com", { groupPriorityMinimum: 17_800 });
  const groups = (await ask("GET", "/apis")).body.groups as { name: string; preferredVersion: { version: string } }[];
  const names = groups.map(({ name }) => name);
  expect(names[0]).toBe("apiregistration.k8s.io");
  expect(names.slice(-2)).toEqual(["shop.example.com", "low.example.com"]);
  expect(names.indexOf("first.example.com")).toBe(names.indexOf("apps") + 1);
  expect((await ask("GET", "/apis/shop.example.com")).body).toEqual({
    kind: "APIGroup",
    apiVersion: "v1",
    name: "shop.example.com",
    versions: [
      { groupVersion: "shop.example.com/v1", version: "v1" },
      { groupVersion: "shop.example.com/v2", version: "v2" },
    ],
    preferredVersion: { groupVersion: "shop.example.com/v1", version: "v1" },
  });
});

const roses = { resource: "roses", scope: "Namespaced", singularResource: "rose", verbs: ["get"] };

test("a server's own discovery document goes into ours", async () => {
  const document = {
    items: [
      { metadata: { name: "other.example.com" }, versions: [{ version: "v1", resources: [{ resource: "no" }] }] },
      {
        metadata: { name: "shop.example.com" },
        versions: [{ version: "v1", resources: [{ ...roses, subresources: [{ subresource: "status" }] }] }],
      },
    ],
  };
  const { register, ask, asked, server, clock } = await prepared({ "/apis": reply(document, AGGREGATED) });
  await register("v1", "shop.example.com");
  const last = async () => (await ask("GET", "/apis", undefined, { accept: AGGREGATED })).body.items.at(-1);
  const none = { group: "", version: "", kind: "" };
  const resources = [{ ...roses, responseKind: none, subresources: [{ subresource: "status", responseKind: none }] }];
  const fresh = {
    metadata: { name: "shop.example.com" },
    versions: [{ version: "v1", resources, freshness: "Current" }],
  };
  expect(await last()).toEqual(fresh);
  expect(await last()).toEqual(fresh);
  expect(asked).toEqual(["shop.example.com/v1 /apis system:kube-aggregator"]);
  server.down = true;
  clock.now += 61_000;
  expect(await last()).toEqual({ ...fresh, versions: [{ version: "v1", resources, freshness: "Stale" }] });
});

test("a server that knows no such document is asked for its lists", async () => {
  const list = {
    resources: [
      { name: "roses", singularName: "rose", namespaced: true, kind: "Rose", verbs: ["get"], shortNames: ["ro"] },
      { name: "roses/status", namespaced: true, kind: "Rose", verbs: ["patch"] },
      { name: "gardens", namespaced: false, kind: "Garden", group: "land", version: "v3", verbs: ["list"] },
    ],
  };
  const { register, ask } = await prepared({ "/apis/shop.example.com/v1": reply(list) });
  await register("v1", "shop.example.com");
  const { items } = (await ask("GET", "/apis", undefined, { accept: AGGREGATED })).body;
  const kind = { group: "", version: "", kind: "Rose" };
  expect(items.at(-1).versions).toEqual([
    {
      version: "v1",
      resources: [
        {
          ...roses,
          responseKind: kind,
          shortNames: ["ro"],
          subresources: [{ subresource: "status", responseKind: kind, verbs: ["patch"] }],
        },
        {
          resource: "gardens",
          responseKind: { group: "land", version: "v3", kind: "Garden" },
          scope: "Cluster",
          singularResource: "",
          verbs: ["list"],
        },
      ],
      freshness: "Current",
    },
  ]);
});

test("a server that is not there is named as stale, and waited for by no one", async () => {
  const { register, ask, asked } = await prepared();
  await register("v1", "shop.example.com", {}, "False");
  const { items } = (await ask("GET", "/apis", undefined, { accept: AGGREGATED })).body;
  expect(items.at(-1)).toEqual({
    metadata: { name: "shop.example.com" },
    versions: [{ version: "v1", freshness: "Stale" }],
  });
  expect(asked).toEqual([]);
});

test("the index of OpenAPI documents names those of other servers", async () => {
  const serverRelativeURL = "/openapi/v3/apis/shop.example.com/v1?hash=A";
  const paths = { "apis/shop.example.com/v1": { serverRelativeURL }, version: { serverRelativeURL: "/elsewhere" } };
  const { register, ask } = await prepared({ "/openapi/v3": reply({ paths }) });
  const before = (await ask("GET", "/openapi/v3")).body.paths;
  await register("v1", "shop.example.com");
  expect((await ask("GET", "/openapi/v3")).body.paths).toEqual({
    ...before,
    "apis/shop.example.com/v1": { serverRelativeURL },
  });
});

test("the OpenAPI document has what lies in other servers' groups, and what that needs", async () => {
  const rose = { type: "object", properties: { metadata: { $ref: "#/definitions/Meta" } } };
  const get = { responses: { 200: { schema: { $ref: "#/definitions/Rose" } } } };
  const swagger = {
    paths: { "/apis/shop.example.com/v1/roses": { get }, "/apis/shop.example.com/v2/lilies": {}, "/version/": {} },
    definitions: { Rose: rose, Meta: { type: "object" }, Unused: {}, "io.k8s.api.apps.v1.Deployment": {} },
  };
  const { register, ask, send } = await prepared({ "/openapi/v2": reply(swagger) });
  const own = (await ask("GET", "/openapi/v2")).body;
  await register("v1", "shop.example.com");
  const merged = await ask("GET", "/openapi/v2");
  expect(merged.body).toEqual({
    ...own,
    paths: { ...own.paths, "/apis/shop.example.com/v1/roses": { get } },
    definitions: { ...own.definitions, Rose: rose, Meta: { type: "object" } },
  });
  expect((await ask("GET", "/openapi/v2")).headers.get("etag")).toBe(merged.headers.get("etag"));
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const binary = await send("/openapi/v2", { headers: { authorization: "Bearer admin", accept } });
  expect(await binary.text()).toContain("/apis/shop.example.com/v1/roses");
});

test("a server whose document is none leaves the OpenAPI document as it is", async () => {
  const { register, ask } = await prepared({ "/openapi/v2": reply(null) });
  const own = (await ask("GET", "/openapi/v2")).body;
  await register("v1", "shop.example.com");
  expect((await ask("GET", "/openapi/v2")).body).toEqual(own);
});

test("an APIService of our own says at once that it is there", async () => {
  const { ask } = await prepared();
  const { body } = await ask("GET", `${apiServices}/v1.apps`);
  expect(body.status.conditions).toEqual([
    {
      type: "Available",
      status: "True",
      reason: "Local",
      message: "Local APIServices are always available",
      lastTransitionTime: body.metadata.creationTimestamp,
    },
  ]);
});
