import { expect, test } from "vitest";
import type { NodeTraffic } from "../../protocol/link.ts";
import { testCluster } from "../testing/cluster.ts";

const figures = { perSecond: 2, pending: 1, failedPerSecond: 0.5, took: [1] };
const told = { ...figures, idleMs: 7 };
const traffic: NodeTraffic = {
  countedMs: 1,
  services: { "default/web": told, "shop/till": told },
  ingresses: { "default/site": told },
  httproutes: { "default/route": told },
  pods: { "10.0.0.1": told, "fd00::1": told, "10.0.0.9": told },
};

async function prepared() {
  const { ask } = await testCluster({
    traffic: { seen: async () => ({ traffic, by: new Set(["a"]), silent: ["b"] }) },
  });
  const space = "/api/v1/namespaces/default";
  await ask("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
  const merge = { "content-type": "application/merge-patch+json" };
  await ask("POST", `${space}/pods`, { metadata: { name: "one" }, spec: { containers: [{ name: "c", image: "i" }] } });
  await ask("PATCH", `${space}/pods/one/status`, { status: { podIPs: [{ ip: "10.0.0.1" }] } }, merge);
  return ask;
}

test("a pod is asked at all of its own addresses, and not at its node's, nor at those that it had", async () => {
  const ask = await prepared();
  const space = "/api/v1/namespaces/default/pods";
  const pod = async (name: string, spec: object, status: object) => {
    await ask("POST", space, { metadata: { name }, spec: { containers: [{ name: "c", image: "i" }], ...spec } });
    const merge = { "content-type": "application/merge-patch+json" };
    await ask("PATCH", `${space}/${name}/status`, { status }, merge);
  };
  const [four, six] = [{ ip: "10.0.0.1" }, { ip: "fd00::1" }];
  await pod("both", {}, { podIPs: [four, six] });
  await pod("on-its-node", { hostNetwork: true }, { podIPs: [four] });
  await pod("done", {}, { phase: "Succeeded", podIPs: [four] });
  await pod("broken", {}, { phase: "Failed", podIPs: [four] });
  expect((await ask("GET", "/skerry/requests/namespaces/default")).body.pods).toEqual({
    "default/one": figures,
    "default/both": { perSecond: 4, pending: 2, failedPerSecond: 1, took: [2, ...Array(11).fill(0)] },
  });
});

test("what requests there are now, of all namespaces or of one, with its pods; and who did not tell", async () => {
  const ask = await prepared();
  expect((await ask("GET", "/skerry/requests")).body).toEqual({
    services: { "default/web": figures, "shop/till": figures },
    ingresses: { "default/site": figures },
    httproutes: { "default/route": figures },
    silent: 1,
    silentNodes: ["b"],
  });
  expect((await ask("GET", "/skerry/requests/namespaces/default")).body).toEqual({
    services: { "default/web": figures },
    ingresses: { "default/site": figures },
    httproutes: { "default/route": figures },
    pods: { "default/one": figures },
    silent: 1,
  });
});

test("each part is for whoever may get those metrics", async () => {
  const ask = await prepared();
  const resources = ["services/requests_per_second", "pods/*"];
  const rules = [{ verbs: ["get"], apiGroups: ["custom.metrics.k8s.io"], resources }];
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", { metadata: { name: "r" }, rules });
  await ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
    metadata: { name: "r" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "clerk" }],
  });
  const clerk = (path: string) => ask("GET", `/skerry/requests${path}`, undefined, { "impersonate-user": "clerk" });
  const { body } = await clerk("/namespaces/default");
  expect(Object.keys(body)).toEqual(["services", "silent"]);
  const refused = await clerk("");
  expect(refused).toMatchObject({ code: 403, body: { reason: "Forbidden" } });
  expect(refused.body.message).toContain('cannot get resource "services/requests_per_second"');
  expect((await clerk("/namespaces/shop")).code).toBe(403);
});
