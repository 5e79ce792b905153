/** Nodes at two homes, each behind a NAT that lets nothing in: their pods reach each other, whatever the NATs let through. */
import { createSocket, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BINDING_ANSWER, endpointOf, readStun, writeStun } from "../../agent/network/mesh/stun.ts";
import { PATHS } from "../../worker/protocol/link.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { ensurePackages } from "../support/programs.ts";
import { makeSite, type Site } from "../support/site.ts";

const NODES = ["node-b", "node-c", "node-d"];

let internet: Lan;
let sites: Site[];
let cluster: TestCluster;
let stun: Socket;
/** Of the control plane, as machines at home find it. */
let url: string;

/** Says what a question seems to come from, to anyone. */
async function stunServer(address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => {
    const transaction = readStun(bytes)?.transaction;
    if (!transaction) return;
    const mapped = endpointOf(from.address, from.port);
    socket.send(writeStun({ type: BINDING_ANSWER, transaction, mapped }), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  return socket;
}

const stunOption = () => ["--stun", `${internet.host}:${stun.address().port}`];

beforeAll(async () => {
  await ensurePackages({ wg: "wireguard-tools", "wireguard-go": "wireguard-go" });
  internet = await makeLan();
  stun = await stunServer(internet.host);
  sites = [await makeSite("home-1", internet, 11), await makeSite("home-2", internet, 12)];
  cluster = await TestCluster.start({ flags: ["--no-agent", "--dual-stack"] });
  const [one, two] = sites as [Site, Site];
  // The first one's address is the second one's too, and the third one's lies in the first one's network.
  for (const [name, site, n] of [
    ["node-b", one, 2],
    ["node-c", two, 2],
    ["node-d", two, 3],
  ] as const)
    cluster.machines.push(await Machine.make(name, site, n));
  await Promise.all(
    cluster.machines.map(async (machine) => {
      const joining = joinArguments((await cluster.skerry("token", "create")).stdout, internet);
      url = joining[0] ?? "";
      await machine.join([...joining, ...stunOption()]);
    }),
  );
  const all = NODES.map((node) => `node/${node}`).join(" ");
  await eventually("all nodes are Ready", () => cluster.ok(`wait --for=condition=Ready ${all}`));
  await cluster.apply(`
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'mkdir -p /tmp/www; cd /tmp/www; echo $NODE >index.html; head -c 100000 /dev/zero >large; nc -ll -p 9000 -e cat & exec httpd -f -p 8080 -h /tmp/www']
          env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`);
  await cluster.ok("rollout status daemonset/web --timeout=60s");
});

afterAll(async () => {
  await cluster?.stop();
  for (const site of sites ?? []) await site.remove();
  stun?.close();
  await internet?.remove();
});

const podOn = async (node: string) =>
  await cluster.ok(`get pods -l app=web --field-selector spec.nodeName=${node} -o jsonpath={.items[0].metadata.name}`);
/** In IPv4 and in IPv6. */
const addressesOf = async (pod: string) =>
  (await cluster.ok(`get pod ${pod} -o jsonpath={.status.podIPs[*].ip}`)).split(" ") as [string, string];
const inUrl = (address: string) => (address.includes(":") ? `[${address}]` : address);
const inPod = async (node: string, script: string) => cluster.ok(["exec", await podOn(node), "--", "sh", "-c", script]);

/** The Service, and each pod by its addresses, answer to a pod of each node. */
async function allAnswer(): Promise<void> {
  const addresses = await Promise.all(NODES.map(async (node) => addressesOf(await podOn(node))));
  await Promise.all(
    NODES.map(async (node) => {
      for (const [k, [ipv4, ipv6]] of addresses.entries())
        await eventually(`${NODES[k]} answers ${node} in both families`, async () => {
          const ask = [ipv4, ipv6].map((address) => {
            const get = `timeout 20 wget -qO- http://${inUrl(address)}:8080`;
            return `${get}/; ${get}/large | wc -c`;
          });
          return (await inPod(node, ask.join("; "))).trim() === Array(2).fill(`${NODES[k]}\n100000`).join("\n");
        });
      const script = "for i in $(seq 15); do timeout 20 wget -qO- http://web/ || echo nothing; done";
      const answers = new Set<string>(); // which of three comes is chance
      await eventually(`all answer at the Service to ${node}`, async () => {
        for (const answer of (await inPod(node, script)).trim().split("\n")) answers.add(answer);
        return NODES.every((name) => answers.has(name));
      });
    }),
  );
}

const paths = async (node: string) =>
  (await cluster.json<{ metadata: { annotations?: Record<string, string> } }>(`get node ${node}`)).metadata
    .annotations?.[PATHS];

/** Direct paths are tried again after five seconds at first, later after up to a minute. */
const areReached = (way: string) =>
  eventually(
    `the nodes reach each other: ${way}`,
    async () => {
      const [b, c, d] = await Promise.all(NODES.map(paths));
      return b === `node-c=${way},node-d=${way}` && c === `node-b=${way}` && d === `node-b=${way}`;
    },
    600_000,
  );

const doctorSays = (machine: Machine, row: RegExp) =>
  eventually(`the doctor says ${row}`, async () => row.test((await machine.skerry("net", "doctor")).stdout));

/** A connection from a pod of one node to one of another; resolves to what tells how many words have come back. */
async function conversation(
  from: string,
  to: string,
  family: "IPv4" | "IPv6",
): Promise<() => Promise<number | "ended">> {
  const [ipv4, ipv6] = await addressesOf(await podOn(to));
  const address = family === "IPv6" ? ipv6 : ipv4;
  const file = `/tmp/heard-${to}`;
  await inPod(
    from,
    `(while echo word; do usleep 100000; done | nc ${address} 9000 >${file}; echo ended >>${file}) >/dev/null 2>&1 &`,
  );
  return () =>
    eventually(`a pod of ${from} says what it has heard`, async () => {
      const heard = await inPod(from, `cat ${file}`);
      return heard.includes("ended") ? "ended" : heard.split("\n").length;
    });
}

test("pods of two homes reach each other, and a connection outlives every change of its way", async () => {
  await allAnswer();
  await areReached("direct");
  const [one, two] = sites as [Site, Site];
  const [b, , d] = cluster.machines as [Machine, Machine, Machine];
  await doctorSays(b, new RegExp(`^node-c +direct +${two.outside}:\\d+ `, "m"));
  await doctorSays(d, /^node-c +local network +192\.168\.77\.2:\d+ /m);
  const heard = await Promise.all([conversation("node-b", "node-c", "IPv4"), conversation("node-d", "node-b", "IPv6")]);
  const goOn = async () => {
    for (const words of heard) {
      const before = await eventually("a word has come", words);
      const now = await eventually("words come back", async () => {
        const count = await words();
        return (count === "ended" || count > Number(before) + 5) && count;
      });
      expect([before, now]).not.toContain("ended");
    }
  };
  await goOn();

  await b.kill();
  await b.resume(url, ...stunOption());
  await goOn();
  await doctorSays(b, /^node-c +direct /m);

  await one.blockUdp(true);
  await areReached("relay");
  await goOn();
  await doctorSays(b, /^node-c +relay +- /m);
  await allAnswer();

  await one.blockUdp(false);
  await areReached("direct");
  await goOn();
});
