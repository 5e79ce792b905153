import { describe, expect, test } from "vitest";
import { TICKET_HEADER } from "../lib/blob-tickets.ts";
import { sha256 } from "./auth/authenticate.ts";
import { testCluster } from "./testing/cluster.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const jane = { "impersonate-user": "jane", "impersonate-group": "devs" };
const node = (name: string) => ({ "impersonate-user": `system:node:${name}`, "impersonate-group": "system:nodes" });
const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: "c", image: "busybox" }], ...spec },
});

async function prepared() {
  const cluster = await testCluster();
  const { ask } = cluster;
  await ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  return cluster;
}

describe("roles grant no more than their author holds", async () => {
  const { ask } = await prepared();
  const rule = (verbs: string[], resources: string[]) => ({ apiGroups: [""], resources, verbs });
  const binding = (name: string, role: string) => ({
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "jane" }],
  });
  const roles = `${RBAC}/namespaces/default/roles`;
  const bindings = `${RBAC}/namespaces/default/rolebindings`;
  await ask("POST", `${RBAC}/clusterroles`, {
    metadata: { name: "author" },
    rules: [
      { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["create"] },
      rule(["get", "list"], ["configmaps"]),
    ],
  });
  await ask("POST", bindings, binding("author", "author"));

  test("what she holds she may grant", async () => {
    const role = { metadata: { name: "less" }, rules: [rule(["get"], ["configmaps"])] };
    expect((await ask("POST", roles, role, jane)).code).toBe(201);
  });

  test("what she lacks is named, rule by rule", async () => {
    const role = { metadata: { name: "more" }, rules: [rule(["get", "update"], ["configmaps", "secrets"])] };
    const { code, body } = await ask("POST", roles, role, jane);
    expect([code, body.message]).toEqual([
      403,
      'roles.rbac.authorization.k8s.io "more" is forbidden: user "jane" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["configmaps"], Verbs:["update"]}\n' +
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "update"]}',
    ]);
  });

  test("binding a greater role is refused too, and one that is not there is not found", async () => {
    expect((await ask("POST", bindings, binding("b", "cluster-admin"), jane)).code).toBe(403);
    expect((await ask("POST", bindings, binding("b", "nothing"), jane)).body).toMatchObject({
      code: 404,
      message: 'rolebindings.rbac.authorization.k8s.io "nothing" not found',
    });
  });

  test("the right to bind suffices", async () => {
    await ask("POST", roles, {
      metadata: { name: "binder" },
      rules: [
        {
          apiGroups: ["rbac.authorization.k8s.io"],
          resources: ["clusterroles"],
          resourceNames: ["view"],
          verbs: ["bind"],
        },
      ],
    });
    await ask("POST", bindings, {
      ...binding("binder", "binder"),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "binder" },
    });
    expect((await ask("POST", bindings, binding("c", "view"), jane)).code).toBe(201);
  });
});

describe("tokens of ServiceAccounts", async () => {
  const { ask, clock, store } = await prepared();
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const tokenFor = async (spec: object) =>
    (await ask("POST", `${accounts}/default/token`, { spec })).body.status.token as string;
  const whoami = async (token: string) =>
    await ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, { authorization: `Bearer ${token}` });

  test("a token says who its bearer is", async () => {
    const { body } = await whoami(await tokenFor({}));
    expect(body.status.userInfo).toMatchObject({
      username: "system:serviceaccount:default:default",
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    });
  });

  test("it ends with its time", async () => {
    const token = await tokenFor({ expirationSeconds: 600 });
    clock.now += 599_000;
    expect((await whoami(token)).code).toBe(201);
    clock.now += 1000;
    expect(await whoami(token)).toMatchObject({ code: 401, body: { message: "Unauthorized" } });
  });

  test("one for other audiences is no token of this API, and a review knows whom it is for", async () => {
    const token = await tokenFor({ audiences: ["vault"] });
    expect((await whoami(token)).code).toBe(401);
    const review = (audiences: string[]) =>
      ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token, audiences } });
    expect((await review(["vault", "other"])).body.status).toMatchObject({ authenticated: true, audiences: ["vault"] });
    expect((await review(["other"])).body.status.authenticated).toBeUndefined();
  });

  test("one bound to a pod ends with the pod, and a new pod of the name does not revive it", async () => {
    const pods = "/api/v1/namespaces/default/pods";
    await ask("POST", pods, pod("a"));
    const token = await tokenFor({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "a" } });
    const { body } = await whoami(token);
    expect(body.status.userInfo.extra["authentication.kubernetes.io/pod-name"]).toEqual(["a"]);
    await ask("DELETE", `${pods}/a?gracePeriodSeconds=0`);
    await ask("POST", pods, pod("a"));
    expect((await whoami(token)).code).toBe(401);
  });

  test("one of another cluster, or one bent, is refused", async () => {
    const other = await prepared();
    const foreign = (await other.ask("POST", `${accounts}/default/token`, { spec: {} })).body.status.token;
    expect((await whoami(foreign)).code).toBe(401);
    const [header, , signature] = (await tokenFor({})).split(".");
    const claims = btoa(JSON.stringify({ sub: "system:serviceaccount:kube-system:admin" }));
    expect((await whoami(`${header}.${claims}.${signature}`)).code).toBe(401);
  });

  test("the key is made once and published", async () => {
    const { body } = await ask("GET", "/.well-known/openid-configuration");
    expect(body.issuer).toBe("https://kubernetes.default.svc");
    const keys = await ask("GET", "/openid/v1/jwks");
    expect(keys.headers.get("content-type")).toBe("application/jwk-set+json");
    expect(JSON.parse(keys.body).keys).toEqual([expect.objectContaining({ kty: "EC", crv: "P-256", alg: "ES256" })]);
    expect(keys.body).not.toContain('"d"');
    expect(store.getSetting("serviceaccount.key")).toContain('"d"');
  });
});

describe("nodes see what their pods need, and write what is theirs", async () => {
  const { ask } = await prepared();
  const secrets = "/api/v1/namespaces/default/secrets";
  const pods = "/api/v1/namespaces/default/pods";
  for (const name of ["used", "other"]) await ask("POST", secrets, { metadata: { name } });
  for (const name of ["n1", "n2"]) await ask("POST", "/api/v1/nodes", { metadata: { name } });
  const env = [{ name: "S", valueFrom: { secretKeyRef: { name: "used", key: "k" } } }];
  await ask("POST", pods, pod("a", { nodeName: "n1", containers: [{ name: "c", image: "busybox", env }] }));

  test("a secret only if a pod on the node names it", async () => {
    expect((await ask("GET", `${secrets}/used`, undefined, node("n1"))).code).toBe(200);
    expect((await ask("GET", `${secrets}/other`, undefined, node("n1"))).body.message).toBe(
      'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node \'n1\' and this object',
    );
    expect((await ask("GET", `${secrets}/used`, undefined, node("n2"))).code).toBe(403);
  });

  test("its own pods only", async () => {
    expect(
      (await ask("GET", `${pods}?fieldSelector=spec.nodeName%3Dn1`, undefined, node("n1"))).body.items,
    ).toHaveLength(1);
    expect((await ask("GET", pods, undefined, node("n1"))).code).toBe(403);
    expect((await ask("DELETE", `${pods}/a`, undefined, node("n2"))).code).toBe(403);
    expect((await ask("POST", pods, pod("b"), node("n1"))).code).toBe(403);
  });

  test("its own Node only, without reserved labels", async () => {
    const labels = (key: string) => ({ metadata: { labels: { [key]: "x" } } });
    const patch = { "content-type": "application/merge-patch+json" };
    const url = "/api/v1/nodes";
    expect((await ask("GET", `${url}/n1`, undefined, node("n1"))).code).toBe(200);
    expect((await ask("GET", url, undefined, node("n1"))).code).toBe(403);
    expect((await ask("PATCH", `${url}/n2/status`, labels("a"), { ...node("n1"), ...patch })).code).toBe(403);
    const reserved = await ask("PATCH", `${url}/n1`, labels("node-restriction.kubernetes.io/a"), {
      ...node("n1"),
      ...patch,
    });
    expect(reserved.body.message).toContain("is not allowed to modify labels: node-restriction.kubernetes.io/a");
  });

  test("images only of repositories that its pods name, and only to pull", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const spec = {
      nodeName: "n1",
      initContainers: [{ name: "i", image: "localhost/once:1" }],
      containers: [{ name: "c", image: "192.0.2.2:6443/team/app:1" }],
      volumes: [{ name: "v", image: { reference: `skerry.example.com/clusters/shore/team/data@${digest}` } }],
    };
    await ask("POST", pods, pod("pulls", spec));
    const mirror = pod("mirror", { nodeName: "n1", containers: [{ name: "c", image: "r.io/team/static:1" }] });
    const annotations = { "kubernetes.io/config.mirror": "x" };
    expect((await ask("POST", pods, { ...mirror, metadata: { name: "mirror", annotations } })).code).toBe(201);
    const may = async (method: string, path: string, name = "n1") =>
      (await ask(method, `/v2/${path}`, undefined, node(name))).code === 204;
    for (const path of ["manifests/1", `manifests/${digest}`, `blobs/${digest}`, `referrers/${digest}`, "tags/list"]) {
      expect(await may("GET", `team/app/${path}`), path).toBe(true);
      expect(await may("GET", `team/app/${path}`, "n2")).toBe(false);
      expect(await may("GET", `team/app/sub/${path}`)).toBe(false);
      expect(await may("GET", `team/${path}`)).toBe(false);
      for (const method of ["PUT", "DELETE"]) expect(await may(method, `team/app/${path}`)).toBe(false);
    }
    for (const [repository, allowed] of [
      ["once", true],
      ["team/data", true],
      ["team/static", false],
      ["busybox", false],
      ["library/busybox", false],
    ] as const)
      expect(await may("GET", `${repository}/manifests/1`), repository).toBe(allowed);
    expect(await may("GET", "_catalog")).toBe(false);
    const wanting = { [TICKET_HEADER]: "wanted" };
    const ticket = async (path: string, given: Record<string, string>) =>
      (await ask("GET", `/v2/${path}`, undefined, given)).headers.get(TICKET_HEADER);
    expect(await ticket(`team/app/blobs/${digest}`, { ...node("n1"), ...wanting })).toBe(`for ${digest}`);
    expect(await ticket(`team/app/blobs/${digest}`, node("n1"))).toBeNull();
    expect(await ticket(`team/app/blobs/${digest}`, { ...node("n2"), ...wanting })).toBeNull();
    expect(await ticket(`team/other/blobs/${digest}`, { ...node("n1"), ...wanting })).toBeNull();
    expect(await ticket(`team/app/manifests/${digest}`, { ...node("n1"), ...wanting })).toBeNull();
    await ask("DELETE", `${pods}/pulls?gracePeriodSeconds=0`);
    expect(await may("GET", "team/app/manifests/1")).toBe(false);
  });

  test("tokens only for pods that run there, and for audiences that these name", async () => {
    const { uid } = (await ask("GET", `${pods}/a`)).body.metadata;
    const request = (spec: object, as: Record<string, string>) =>
      ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", { spec }, as);
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "a", uid };
    expect((await request({ boundObjectRef }, node("n1"))).code).toBe(201);
    expect((await request({ boundObjectRef }, node("n2"))).code).toBe(403);
    expect((await request({}, node("n1"))).body.message).toContain("node requested token not bound to a pod");
    expect((await request({ boundObjectRef: { ...boundObjectRef, uid: "" } }, node("n1"))).code).toBe(403);
    expect((await request({ boundObjectRef, audiences: ["vault"] }, node("n1"))).body.message).toContain(
      'audience "vault" not found in pod spec volume',
    );
  });
});

describe("joining", async () => {
  const { ask, clock, store } = await prepared();
  const anonymous = { authorization: "" };
  const join = (token: string, name: unknown) => ask("POST", "/skerry/join", { token, name }, anonymous);
  const mint = async (terms: object = {}) =>
    (await ask("POST", "/skerry/tokens", terms)).body as { id: string; token: string };

  test("a join token makes a node's credential, which is that node and no more", async () => {
    const { token } = await mint();
    const joined = await join(token, "n1");
    expect(joined).toMatchObject({ code: 201, body: { node: "n1", ca: expect.stringContaining("CERTIFICATE") } });
    const { body } = await ask(
      "POST",
      "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      {},
      { authorization: `Bearer ${joined.body.token}` },
    );
    expect(body.status.userInfo).toEqual({
      username: "system:node:n1",
      groups: ["system:nodes", "system:authenticated"],
    });
    expect(
      (await ask("GET", "/api/v1/secrets", undefined, { authorization: `Bearer ${joined.body.token}` })).code,
    ).toBe(403);
    expect(JSON.stringify(store.credentials.list("node"))).not.toContain(joined.body.token);
  });

  test("only administrators make tokens", async () => {
    expect((await ask("POST", "/skerry/tokens", {}, anonymous)).code).toBe(403);
    expect((await ask("GET", "/skerry/tokens", undefined, jane)).code).toBe(403);
  });

  test("a name that lives is taken, unless its Node is gone or the token may replace it", async () => {
    const { token } = await mint();
    const first = (await join(token, "n2")).body.token;
    await ask("POST", "/api/v1/nodes", { metadata: { name: "n2" } });
    expect((await join(token, "n2")).code).toBe(409);
    const { token: replacing } = await mint({ replace: true });
    expect((await join(replacing, "n2")).code).toBe(201);
    expect((await ask("GET", "/api/v1/nodes/n2", undefined, { authorization: `Bearer ${first}` })).code).toBe(401);
    await ask("DELETE", "/api/v1/nodes/n2");
    expect((await join(token, "n2")).code).toBe(201);
  });

  test("a token ends with its time, its use, or its revocation", async () => {
    const short = await mint({ ttlSeconds: 60 });
    const once = await mint({ once: true });
    const revoked = await mint();
    expect((await join(once.token, "o1")).code).toBe(201);
    expect((await join(once.token, "o2")).code).toBe(401);
    expect((await ask("DELETE", `/skerry/tokens/${revoked.id}`)).code).toBe(200);
    expect((await join(revoked.token, "r1")).code).toBe(401);
    clock.now += 60_000;
    expect((await join(short.token, "s1")).code).toBe(401);
    const ids = (await ask("GET", "/skerry/tokens")).body.items.map(({ id }: { id: string }) => id);
    expect(ids).not.toContain(short.id);
  });

  test.each([
    ["Bad_Name", 422],
    ["", 400],
    [7, 400],
  ])("the name %j is refused", async (name, code) => {
    expect((await join((await mint()).token, name)).code).toBe(code);
  });

  test("a join token opens nothing else", async () => {
    const { token } = await mint();
    expect((await ask("GET", "/api/v1/nodes", undefined, { authorization: `Bearer ${token}` })).code).toBe(401);
    expect(store.credentials.find(await sha256(token))?.kind).toBe("join");
  });
});
