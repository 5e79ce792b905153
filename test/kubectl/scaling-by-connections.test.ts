/** Applications that are asked for by their Services' own addresses: they sleep, wake for a connection, and become more. */
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";

let lan: Lan;
let cluster: TestCluster;
let second: Machine;
let address: string;
let nodePort: number;

const IDLE_MS = 4_000;
/** What is sent, and what comes back when it has ended: proof that both ends of it were passed on. */
const SENT = "x".repeat(300_000);
const SUM = /^29927e273accc68286005017f7fa6e4f27bddb4db3083ff8b8d4c3667905b7fa {2}-\n$/;

const application = (name: string, command: string, annotations: string, type: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      nodeName: node-a
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: busybox:test
          command: [nc, -ll, -p, "9000", -e, ${command}]
          readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, annotations: { ${annotations} } }
spec: { type: ${type}, selector: { app: ${name} }, ports: [{ port: 90, targetPort: 9000 }] }
---
`;

const pod = (name: string, node: string, command: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: "busybox:test", command: [sh, -c, "${command}"] }]
---
`;

const AUTOSCALER = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: busy }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: busy }
  minReplicas: 1
  maxReplicas: 2
  metrics:
    - type: Object
      object:
        describedObject: { apiVersion: v1, kind: Service, name: busy }
        metric: { name: connections_per_second }
        target: { type: AverageValue, averageValue: 500m }
`;

const replicas = async (name: string) =>
  Number(await cluster.ok(["get", "deployment", name, "-o", "jsonpath={.spec.replicas}"]));

const asleep = () =>
  eventually(
    "there is no pod of it",
    async () => (await replicas("nap")) === 0 && (await cluster.ok("get pods -l app=nap -o name")) === "",
  );

/** As a process of this machine, which is the node `node-a`. */
async function sumBy(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.end(SENT);
  return text(socket).finally(() => socket.destroy());
}

/** A minute is enough for it to wake, but on a machine that has much else to do. */
const answered = (ask: () => Promise<string>) =>
  eventually("it answers", async () => SUM.test(await ask().catch(() => "")));

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ nodeIp: lan.host });
  second = await Machine.make("node-b", lan, 2);
  cluster.machines.push(second);
  await second.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
  await eventually("service accounts", async () => (await cluster.ok("get sa default -o name")) !== "");
  await cluster.apply(
    application("nap", "sha256sum", `skerry.dev/scale-to-zero: "${IDLE_MS / 1000}s"`, "NodePort") +
      application("busy", "cat", "", "ClusterIP") +
      pod("client", "node-b", "sleep 100000") +
      pod("load", "node-b", "while :; do echo x | nc busy 90; sleep 0.2; done") +
      AUTOSCALER,
  );
  await cluster.ok("wait --for=condition=Ready pod/client --timeout=120s");
  const { spec } = await cluster.json<{ spec: { clusterIP: string; ports: { nodePort: number }[] } }>("get svc nap");
  address = spec.clusterIP;
  nodePort = spec.ports[0]?.nodePort ?? 0;
});

afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

test("what sleeps wakes for a connection of a pod, a node or a machine outside, which waits and is answered", async () => {
  await asleep();
  const script = `head -c ${SENT.length} /dev/zero | tr '\\0' x | nc nap 90`;
  await answered(() => cluster.ok(["exec", "client", "--", "sh", "-c", script]));
  const client = await cluster.ok("get pod client -o jsonpath={.status.podIP}");
  const why = `Scaled from zero to 1: a connection from ${client} waits for port 90 of service "nap"`;
  await eventually("an event tells what woke it", async () => (await cluster.ok("get events")).includes(why));

  await asleep();
  await answered(() => sumBy(address, 90)); // this node
  await asleep();
  await answered(() => sumBy(second.address, nodePort)); // from outside of the other one
});

/** One that was there through three of its idle times; it may begin when it was just found idle, and be cut off. */
async function lasting(): Promise<Socket | false> {
  const socket = connect({ host: address, port: 90 }).on("error", () => {});
  for (const end = effects.now() + 3 * IDLE_MS; effects.now() < end; await effects.sleep(500))
    if (socket.closed || (!socket.connecting && (await replicas("nap")) !== 1)) {
      socket.destroy();
      return false;
    }
  return socket;
}

test("an open connection that says nothing keeps it awake, and its end lets it sleep", async () => {
  await answered(() => sumBy(address, 90));
  const socket = await eventually("a connection lasts", lasting);
  const raw = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/nap/open_connections";
  await eventually("it is counted", async () => /"value":"1"/.test(await cluster.ok(["get", "--raw", raw])));
  socket.destroy();
  await asleep();
});

test("an autoscaler makes more of what is asked for by many connections", async () => {
  await eventually("there are more", async () => (await replicas("busy")) === 2);
  await eventually("it tells by what", async () =>
    /"connections_per_second" on Service\/busy/.test(await cluster.ok("describe hpa busy")),
  );
});
