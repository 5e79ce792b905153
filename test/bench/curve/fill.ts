/**
 * A cluster of a size, made without waiting for it: the API makes one object of each kind, and copies of what it stored
 * are put beside it in bulk, by the storage code itself. Objects, index terms and the log's rows are as if each had been
 * written by the API; only the hours are left out.
 */
import { createHash } from "node:crypto";
import { refsOf } from "../../../worker/api/engine/refs.ts";
import type { Key, KubeObject } from "../../../worker/lib/object.ts";
import { nodeSql } from "../../../worker/storage/node-sql.ts";
import { openStore } from "../../../worker/storage/sqlite-store.ts";
import type { Store } from "../../../worker/storage/store.ts";

const PODS_PER_NAMESPACE = 500;
export const PODS_PER_SET = 50;
const AT_ONCE = 1000;
const KEEP_REVISIONS = 10_000;

export const nodeName = (i: number) => `model-${String(i).padStart(5, "0")}`;
export const namespaceName = (i: number) => `team-${String(i).padStart(4, "0")}`;
export const podName = (i: number) =>
  `web-${Math.floor((i % PODS_PER_NAMESPACE) / PODS_PER_SET)}-${String(i % PODS_PER_SET).padStart(2, "0")}`;
export const namespaceOf = (i: number) => namespaceName(Math.floor(i / PODS_PER_NAMESPACE));

type Copy = { key: Key; object: KubeObject };

/** Brings the database file of a stopped cluster from so many pods and nodes to more. The first of each must be there. */
export function fill(path: string, from: { pods: number; nodes: number }, to: { pods: number; nodes: number }): void {
  const sql = nodeSql(path);
  sql.all("PRAGMA synchronous = OFF");
  const store = openStore(sql);
  try {
    putAll(store, nodes(store, from.nodes, to.nodes));
    store.write(() => {
      for (let i = from.nodes === 1 ? 0 : from.nodes; i < to.nodes; i++) store.credentials.add(credential(nodeName(i)));
    });
    putAll(store, workloads(store, from.pods, to.pods, to.nodes));
    sql.all("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    sql.close();
  }
}

export const tokenOf = (node: string) => `curve-${node}`;
const credential = (subject: string) => {
  const hash = createHash("sha256").update(tokenOf(subject)).digest("hex");
  return { hash, kind: "node", subject, expires: null };
};

function read(store: Store, key: Key): KubeObject {
  const stored = store.get(key);
  if (!stored) throw new Error(`no ${key.resource} ${key.namespace}/${key.name} to copy`);
  return JSON.parse(stored.json) as KubeObject;
}

/** The same object under another name, with a uid of its own. */
function copyOf(model: KubeObject, resource: string, namespace: string, name: string, uid: string): Copy {
  const object = structuredClone(model) as KubeObject & { metadata: NonNullable<KubeObject["metadata"]> };
  Object.assign(object.metadata, { name, uid }, namespace ? { namespace } : {});
  return { key: { resource, namespace, name }, object };
}

const uidOf = (kind: number, i: number) =>
  `${String(kind).padStart(8, "0")}-0000-4000-8000-${String(i).padStart(12, "0")}`;

function* nodes(store: Store, from: number, to: number): Iterable<Copy> {
  const model = read(store, { resource: "nodes", namespace: "", name: nodeName(0) });
  const lease = { resource: "leases.coordination.k8s.io", namespace: "kube-node-lease" };
  const leaseModel = read(store, { ...lease, name: nodeName(0) });
  for (let i = from; i < to; i++) {
    const node = copyOf(model, "nodes", "", nodeName(i), uidOf(1, i));
    const cidr = `10.${128 + (i >> 8)}.${i & 255}.0/24`;
    Object.assign((node.object as { spec: object }).spec, { podCIDR: cidr, podCIDRs: [cidr] });
    Object.assign(node.object.metadata?.labels ?? {}, { "kubernetes.io/hostname": nodeName(i) });
    yield node;
    const made = copyOf(leaseModel, lease.resource, lease.namespace, nodeName(i), uidOf(2, i));
    Object.assign(made.object.metadata ?? {}, {
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName(i), uid: uidOf(1, i) }],
    });
    yield made;
  }
}

/** Namespaces of ten ReplicaSets with fifty pods each. */
function* workloads(store: Store, from: number, to: number, nodeCount: number): Iterable<Copy> {
  const first = namespaceName(0);
  const model = (resource: string, name: string, namespace = first) => read(store, { resource, namespace, name });
  const namespace = model("namespaces", first, "");
  const account = model("serviceaccounts", "default");
  const ca = model("configmaps", "kube-root-ca.crt");
  const set = model("replicasets.apps", "web-0");
  const pod = model("pods", podName(0));
  for (let i = from; i < to; i++) {
    const place = namespaceOf(i);
    if (i % PODS_PER_NAMESPACE === 0 && i > 0) {
      const made = copyOf(namespace, "namespaces", "", place, uidOf(3, i));
      Object.assign(made.object.metadata?.labels ?? {}, { "kubernetes.io/metadata.name": place });
      yield made;
      yield copyOf(account, "serviceaccounts", place, "default", uidOf(4, i));
      yield copyOf(ca, "configmaps", place, "kube-root-ca.crt", uidOf(5, i));
    }
    const setName = `web-${Math.floor((i % PODS_PER_NAMESPACE) / PODS_PER_SET)}`;
    const setIndex = Math.floor(i / PODS_PER_SET);
    if (i % PODS_PER_SET === 0 && setIndex > 0) {
      const made = copyOf(set, "replicasets.apps", place, setName, uidOf(6, setIndex));
      const spec = (made.object as unknown as { spec: { selector: object; template: { metadata: object } } }).spec;
      Object.assign(spec.selector, { matchLabels: { app: setName } });
      Object.assign(spec.template.metadata, { labels: { app: setName } });
      yield made;
    }
    if (i === 0) continue;
    const owner = setIndex === 0 ? (set.metadata?.uid ?? "") : uidOf(6, setIndex);
    const made = copyOf(pod, "pods", place, podName(i), uidOf(7, i));
    Object.assign(made.object.metadata ?? {}, {
      labels: { app: setName, shard: String(setIndex % 100) },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: setName,
          uid: owner,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
    Object.assign((made.object as { spec: object }).spec, { nodeName: nodeName(i % nodeCount) });
    yield made;
  }
}

function putAll(store: Store, copies: Iterable<Copy>): void {
  let batch: Copy[] = [];
  const flush = () => {
    store.write((txn) => {
      for (const { key, object } of batch) {
        const revision = txn.nextRevision();
        Object.assign(object.metadata ?? {}, { resourceVersion: String(revision) });
        const uid = object.metadata?.uid ?? "";
        txn.put({ ...key, uid, revision, json: JSON.stringify(object) }, refsOf(key.resource, object));
      }
    });
    store.compact(KEEP_REVISIONS, 4 * batch.length);
    batch = [];
  };
  for (const copy of copies) if (batch.push(copy) === AT_ONCE) flush();
  if (batch.length > 0) flush();
}
