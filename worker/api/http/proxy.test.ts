import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const space = "/api/v1/namespaces/default";
const merge = { "content-type": "application/merge-patch+json" };

async function prepared() {
  const cluster = await testCluster();
  const { ask, api } = cluster;
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  await ask("POST", "/api/v1/nodes", { metadata: { name: "n1" } });
  await ask(
    "PATCH",
    "/api/v1/nodes/n1/status",
    {
      status: { addresses: [{ type: "InternalIP", address: "192.0.2.1" }] },
    },
    merge,
  );
  const container = { name: "c", image: "app", ports: [{ containerPort: 8080 }] };
  for (const name of ["web", "new", "inward"])
    await ask("POST", `${space}/pods`, { metadata: { name }, spec: { nodeName: "n1", containers: [container] } });
  const podIPs = [{ ip: "10.244.0.2" }];
  await ask("PATCH", `${space}/pods/web/status`, { status: { phase: "Running", podIP: "10.244.0.2", podIPs } }, merge);
  const loopback = { status: { phase: "Running", podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }] } };
  await ask("PATCH", `${space}/pods/inward/status`, loopback, merge);
  const ports = [
    { name: "http", port: 80 },
    { name: "admin", port: 81 },
  ];
  await ask("POST", `${space}/services`, { metadata: { name: "web" }, spec: { ports } });
  const web = { kind: "Pod", namespace: "default", name: "web" };
  await ask("POST", `${space}/endpoints`, {
    metadata: { name: "web" },
    subsets: [
      { addresses: [{ ip: "10.244.0.2", targetRef: web }], ports: [{ name: "http", port: 8080 }] },
      { addresses: [{ ip: "203.0.113.7" }], ports: [{ name: "admin", port: 9090 }] },
    ],
  });
  await ask("POST", `${space}/services`, { metadata: { name: "idle" }, spec: { ports: [{ port: 80 }] } });
  await ask("POST", `${space}/endpoints`, { metadata: { name: "idle" } });
  const open = async (path: string, method = "GET", headers: Record<string, string> = {}) => {
    const request = new Request(`https://cluster/api/v1${path}`, {
      method,
      headers: { authorization: "Bearer admin", ...headers },
    });
    const answer = await api.authorizeStream(request);
    if (!(answer instanceof Response)) return answer;
    return { code: answer.status, message: ((await answer.json()) as { message: string }).message };
  };
  return { ...cluster, open };
}

const { open, ask } = await prepared();

test("where a uid is said, another pod of the name is not meant", async () => {
  const { uid } = (await ask("GET", `${space}/pods/web`)).body.metadata;
  const path = "/namespaces/default/pods/http:web:9/proxy/";
  expect(await open(path, "GET", { "x-skerry-pod-uid": uid })).toMatchObject({ node: "n1", stream: { port: 9 } });
  const another = await open(path, "GET", { "x-skerry-pod-uid": "another" });
  expect(another).toEqual({ code: 404, message: 'pods "web" not found' });
});

test.each([
  ["/namespaces/default/pods/web/proxy/a/b", { scheme: "http", address: "10.244.0.2", port: 8080 }],
  ["/namespaces/default/pods/web:9/proxy", { scheme: "http", address: "10.244.0.2", port: 9 }],
  ["/namespaces/default/pods/https:web:443/proxy/", { scheme: "https", address: "10.244.0.2", port: 443 }],
  ["/namespaces/default/services/web:http/proxy/", { scheme: "http", address: "10.244.0.2", port: 8080 }],
  ["/namespaces/default/services/https:web:80/proxy/", { scheme: "https", address: "10.244.0.2", port: 8080 }],
  ["/nodes/n1:9100/proxy/metrics", { scheme: "http", address: "192.0.2.1", port: 9100 }],
  ["/nodes/n1/proxy/healthz", { scheme: "https", address: "", port: 10250 }],
  ["/nodes/n1:10250/proxy/healthz", { scheme: "https", address: "", port: 10250 }],
])("%s is the node's to reach", async (path, target) => {
  expect(await open(path)).toEqual({ node: "n1", stream: { id: expect.any(String), kind: "proxy", ...target } });
});

test.each([
  ["/namespaces/default/pods/ftp:web:80/proxy/", 400, 'invalid pod request "ftp:web:80"'],
  ["/namespaces/default/pods/none/proxy/", 404, 'pods "none" not found'],
  ["/namespaces/default/pods/new/proxy/", 400, "address not allowed"],
  ["/namespaces/default/pods/inward/proxy/", 400, "address not allowed"],
  ["/namespaces/default/services/web:82/proxy/", 503, 'no service port 82 found for service "web"'],
  ["/namespaces/default/services/web:admin/proxy/", 503, 'no endpoints available for service "web:admin"'],
  ["/namespaces/default/services/idle/proxy/", 503, 'no endpoints available for service "idle"'],
  ["/namespaces/default/services/none/proxy/", 404, 'services "none" not found'],
  ["/nodes/none/proxy/", 404, 'nodes "none" not found'],
])("%s is refused with %i", async (path, code, message) => {
  expect(await open(path)).toEqual({ code, message });
});

test("the method decides which right is needed, on the name as it is written", async () => {
  const rule = { apiGroups: [""], resources: ["pods/proxy"], resourceNames: ["web:80"], verbs: ["get", "create"] };
  const roles = "/apis/rbac.authorization.k8s.io/v1";
  await ask("POST", `${roles}/clusterroles`, { metadata: { name: "look" }, rules: [rule] });
  await ask("POST", `${roles}/clusterrolebindings`, {
    metadata: { name: "look" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "look" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "jane" }],
  });
  const asJane = (path: string, method: string) =>
    open(`/namespaces/default/pods/${path}`, method, { "impersonate-user": "jane" });
  for (const method of ["GET", "POST"]) expect(await asJane("web:80/proxy/", method)).toMatchObject({ node: "n1" });
  expect(await asJane("web:80/proxy/", "DELETE")).toMatchObject({ code: 403 });
  expect(await asJane("web/proxy/", "GET")).toMatchObject({ code: 403 });
});
