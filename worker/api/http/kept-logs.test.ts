import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const asNode = (name: string) => ({ "impersonate-user": `system:node:${name}`, "impersonate-group": "system:nodes" });
const asUser = { "impersonate-user": "eva" };
const merge = { "content-type": "application/merge-patch+json" };
const KEEP = "skerry.dev/keep-logs";
const SIZE = "skerry.dev/keep-logs-size";

async function shop(annotations: Record<string, string>) {
  const { ask } = await testCluster();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "shop", annotations } });
  await ask("POST", "/api/v1/namespaces/shop/serviceaccounts", { metadata: { name: "default" } });
  for (const name of ["n", "other"]) await ask("POST", "/api/v1/nodes", { metadata: { name } });
  const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
  const pod = async (name: string, own = {}) =>
    (await ask("POST", "/api/v1/namespaces/shop/pods", { metadata: { name, annotations: own }, spec })).body.metadata;
  const grant = (name: string, uid: string, headers: Record<string, string>) =>
    ask("POST", `/skerry/logs/shop/${name}/grant?uid=${uid}`, undefined, headers);
  return { ask, pod, grant };
}

test("pods of a Namespace that keeps logs are told so, unless they say otherwise themselves", async () => {
  const { pod } = await shop({ [KEEP]: "7d" });
  expect((await pod("a", { x: "y" })).annotations).toEqual({ x: "y", [KEEP]: "7d" });
  expect((await pod("b", { [KEEP]: "1d" })).annotations).toEqual({ [KEEP]: "1d" });
  expect((await (await shop({})).pod("a")).annotations).toBeUndefined();
});

test("a pod's own node is given leave to send what its Namespace keeps, and nobody else", async () => {
  const { ask, pod, grant } = await shop({ [KEEP]: "7d", [SIZE]: "10Mi" });
  const { uid } = await pod("a");
  expect(await grant("a", uid, asNode("n"))).toMatchObject({ code: 200, body: { days: 7, bytes: 10 * 1024 ** 2 } });
  for (const headers of [asNode("other"), asUser]) expect((await grant("a", uid, headers)).code).toBe(403);
  expect((await grant("a", "another", asNode("n"))).code).toBe(404);
  // Its node may hear of a deletion before it could send what was printed last.
  await ask("DELETE", "/api/v1/namespaces/shop/pods/a?gracePeriodSeconds=0");
  expect((await ask("GET", "/api/v1/namespaces/shop/pods/a")).code).toBe(404);
  expect((await grant("a", uid, asNode("n"))).code).toBe(200);
  expect((await grant("a", uid, asNode("other"))).code).toBe(403);
  await ask("PATCH", "/api/v1/namespaces/shop", { metadata: { annotations: { [KEEP]: null } } }, merge);
  expect((await grant("a", uid, asNode("n"))).code).toBe(404);
  expect((await ask("GET", "/skerry/logs/shop", undefined, asUser)).code).toBe(403);
  expect((await ask("GET", "/skerry/logs/shop/a", undefined, asNode("n"))).code).toBe(403);
  expect((await ask("GET", "/skerry/logs/shop/a")).code).toBe(204);
});

test.each([
  [{ [KEEP]: "7" }, `metadata.annotations[${KEEP}]: Invalid value: "7": must be a number of days from 1d to 9999d`],
  [{ [KEEP]: "0d" }, `metadata.annotations[${KEEP}]: Invalid value: "0d": must be`],
  [
    { [KEEP]: "7d", [SIZE]: "much" },
    `metadata.annotations[${SIZE}]: Invalid value: "much": must be a positive quantity`,
  ],
])("a Namespace that says %o is refused", async (annotations, message) => {
  const { ask } = await testCluster();
  const answer = await ask("POST", "/api/v1/namespaces", { metadata: { name: "x", annotations } });
  expect(answer).toMatchObject({ code: 422, body: { message: expect.stringContaining(message) } });
});
