/** A database that keeps its data through the loss of its node: moved away before it, or from a backup after it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { writeBusyboxImage } from "../support/image.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { upstreamProgram } from "../support/upstream.ts";

const IMAGE = "docker.io/library/etcd:test";
const CLAIM = "data-etcd-0";
const SECOND = 1000;

const DATABASE = `
apiVersion: v1
kind: Service
metadata: { name: etcd }
spec: { clusterIP: None, selector: { app: etcd }, ports: [{ name: client, port: 2379 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: etcd }
spec:
  serviceName: etcd
  selector: { matchLabels: { app: etcd } }
  template:
    metadata: { labels: { app: etcd } }
    spec:
      terminationGracePeriodSeconds: 10
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - { weight: 100, preference: { matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [node-b] }] } }
      containers:
        - name: etcd
          image: ${IMAGE}
          args:
            - --name=$(NAME)
            - --data-dir=/data/etcd
            - --listen-client-urls=http://0.0.0.0:2379
            - --advertise-client-urls=http://$(NAME).etcd:2379
          env: [{ name: NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
          readinessProbe: { httpGet: { path: /health, port: 2379 }, periodSeconds: 1 }
          volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`;

let lan: Lan;
let cluster: TestCluster;
let machine: Machine;
let backup: string;

beforeAll(async () => {
  const etcd = await upstreamProgram("etcd", console.log);
  lan = await makeLan();
  cluster = await TestCluster.start({ nodeIp: lan.host });
  backup = join(cluster.home, "etcd.tar.gz");
  machine = await Machine.make("node-b", lan, 2);
  cluster.machines.push(machine);
  await machine.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
  const image = { tag: IMAGE, programs: { etcd }, entrypoint: ["etcd"] };
  await cluster.load(image);
  const archive = join(machine.home, "etcd.tar");
  await writeBusyboxImage(archive, image);
  const loaded = await machine.nerdctl("load", "-i", archive);
  if (loaded.code !== 0) throw new Error(`the image did not load: ${loaded.stderr}`);
  await cluster.ok("wait --for=condition=Ready node/node-b --timeout=60s");
  await cluster.apply(DATABASE);
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

/** Until the database answers on this node. */
const ready = (node: string) =>
  eventually(`the database is ready on ${node}`, async () => {
    const row = await cluster.ok("get pod etcd-0 --no-headers -o wide");
    return /1\/1 +Running/.test(row) && row.includes(node);
  });

/** One call of etcd's own JSON API, from where its clients are: a pod. */
async function etcd(path: string, body: unknown): Promise<string> {
  const url = `http://etcd-0.etcd.default.svc.cluster.local:2379/v3/kv/${path}`;
  const command = ["wget", "-qO-", "--post-data", JSON.stringify(body), url];
  return cluster.ok(["exec", "client", "--", ...command]);
}
const base64 = (text: string) => Buffer.from(text).toString("base64");
const put = (key: string, value: string) => etcd("put", { key: base64(key), value: base64(value) });
const read = async (key: string) => {
  const { kvs } = JSON.parse(await etcd("range", { key: base64(key) })) as { kvs?: { value: string }[] };
  return kvs?.[0] && Buffer.from(kvs[0].value, "base64").toString();
};

const volume = async (...args: string[]) => {
  const { code, stdout, stderr } = await cluster.skerry("volume", ...args);
  if (code !== 0) throw new Error(`skerry volume ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
};

test("moves with its data from a node that is to be taken away", async () => {
  await ready("node-b");
  await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: client }
spec:
  nodeName: node-a
  containers: [{ name: c, image: "busybox:test", command: [sleep, "100000"] }]
`);
  await cluster.ok("wait --for=condition=Ready pod/client --timeout=60s");
  await eventually("its name is known", () => put("orders", "one").then(() => true));
  await volume("backup", `default/${CLAIM}`, "--to", backup);
  await eventually("it takes another", () => put("orders", "two").then(() => true));
  await cluster.ok("drain node-b --ignore-daemonsets --timeout=120s", { timeoutMs: 130 * SECOND });
  await volume("move", `default/${CLAIM}`, "--to-node", "node-a");
  await ready("node-a");
  expect(await eventually("it answers at its name", () => read("orders"))).toBe("two");
});

test("comes back from its backup when a node is lost with its disk", async () => {
  await cluster.ok("uncordon node-b");
  await volume("move", `default/${CLAIM}`, "--to-node", "node-b", "--stop");
  await ready("node-b");
  expect(await eventually("it answers at its name", () => read("orders"))).toBe("two");
  await machine.powerOff();
  await cluster.ok("delete node node-b");
  await cluster.ok("scale statefulset etcd --replicas=0");
  await eventually("its pod is gone", async () => (await cluster.ok("get pods -l app=etcd --no-headers")) === "");
  await cluster.ok(`delete pvc ${CLAIM} --timeout=60s`);
  await volume("restore", `default/${CLAIM}`, "--from", backup, "--size", "1Gi", "--node", "node-a");
  await cluster.ok("scale statefulset etcd --replicas=1");
  await ready("node-a");
  expect(await eventually("it answers at its name", () => read("orders"))).toBe("one");
});
