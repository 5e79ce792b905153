import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
const volumes = "/api/v1/persistentvolumes";
const merge = { "content-type": "application/merge-patch+json" };

const { ask, api } = await testCluster();
const local = { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", "skerry.dev/node": "n1" };
const path = "/var/lib/skerry/volumes/pvc-1_default_data";
const terms = [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["n1"] }] }];
await ask("POST", volumes, {
  metadata: { name: "pvc-1", annotations: local },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    storageClassName: "local-path",
    local: { path },
    nodeAffinity: { required: { nodeSelectorTerms: terms } },
  },
});
await ask("POST", claims, {
  metadata: { name: "data" },
  spec: {
    volumeName: "pvc-1",
    storageClassName: "local-path",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
  },
});

const annotate = (changes: object) => ask("PATCH", `${volumes}/pvc-1`, { metadata: { annotations: changes } }, merge);
async function open(method: string, claim = "data") {
  const url = `https://cluster/skerry/volumes/default/${claim}`;
  const answer = await api.authorizeStream(new Request(url, { method, headers: { authorization: "Bearer admin" } }));
  if (!(answer instanceof Response)) return answer;
  const { code, reason, message } = (await answer.json()) as { code: number; reason: string; message: string };
  return { code, reason, message };
}

test("the data of a bound volume on a node's own disk is that node's to give and to take", async () => {
  expect(await open("GET", "none")).toMatchObject({ code: 404 });
  expect(await open("GET")).toMatchObject({ code: 400, message: 'persistentvolumeclaim "data" is not bound' });
  await ask("PATCH", `${claims}/data/status`, { status: { phase: "Bound" } }, merge);
  const granted = { node: "n1", stream: { kind: "proxy", volume: { name: "pvc-1", path } } };
  expect(await open("GET")).toMatchObject(granted);
  expect(await open("PUT")).toMatchObject(granted);
  expect(await open("DELETE")).toMatchObject({ code: 405 });
});

test.each([
  { "skerry.dev/move-to": "n2", "skerry.dev/moving-to": null },
  { "skerry.dev/move-to": "n2", "skerry.dev/moving-to": "n2/pvc-1_default_data.1" },
  { "skerry.dev/move-to": null, "skerry.dev/moving-to": "n2/pvc-1_default_data.1" },
])("a volume that moves is read, and not written: %o", async (annotations) => {
  await annotate(annotations);
  expect(await open("GET")).toMatchObject({ node: "n1" });
  expect(await open("PUT")).toEqual({
    code: 409,
    reason: "Conflict",
    message: 'Operation cannot be fulfilled on persistentvolumes "pvc-1": it is being moved to node n2',
  });
  await annotate({ "skerry.dev/move-to": null, "skerry.dev/moving-to": null });
  expect(await open("PUT")).toMatchObject({ node: "n1" });
});

test("a volume's copy in the bucket is for who has to send, to read or to remove it", async () => {
  const may = async (node: string) => {
    const as = { "impersonate-user": `system:node:${node}`, "impersonate-group": "system:nodes" };
    const allowed: string[] = [];
    for (const at of ["x1", "x1/chunks/0", "x2"])
      for (const method of ["GET", "PUT", "DELETE"])
        if ((await ask(method, `/skerry/transfers/pvc-1/${at}`, undefined, as)).code === 204)
          allowed.push(`${method} ${at}`);
    return allowed;
  };
  const none = { "skerry.dev/moving-to": null, "skerry.dev/left-on": null, "skerry.dev/transferred": null };
  const to = { ...none, "skerry.dev/moving-to": "n2/pvc-1_default_data.x1", "skerry.dev/transfer": "x1" };
  expect(await may("n1")).toEqual([]);
  await annotate(to);
  expect(await may("n1")).toEqual(["GET x1", "PUT x1", "GET x1/chunks/0", "PUT x1/chunks/0"]);
  expect(await may("n2")).toEqual([]);
  await annotate({ ...to, "skerry.dev/transferred": "true" });
  expect(await may("n1")).toEqual([]);
  expect(await may("n2")).toEqual(["GET x1", "GET x1/chunks/0"]);
  // It is to go elsewhere: what n2 has left there goes, and the copy stays.
  await annotate({
    "skerry.dev/moving-to": "n3/pvc-1_default_data.x3",
    "skerry.dev/left-on": "n2/pvc-1_default_data.x1",
  });
  for (const node of ["n1", "n2"]) expect(await may(node)).toEqual([]);
  expect(await may("n3")).toEqual(["GET x1", "GET x1/chunks/0"]);
  await annotate({ ...none, "skerry.dev/left-on": "n2/pvc-1_default_data.x1" });
  for (const node of ["n1", "n2"]) expect(await may(node)).toEqual(["DELETE x1", "DELETE x1/chunks/0"]);
  expect(await may("n3")).toEqual([]);
});
