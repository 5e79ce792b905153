import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../test/support/cluster.ts";
import type { Waker } from "../../worker/kinds/ingress/idle.ts";
import { type CertificateAndKey, createAuthority, issueServer } from "../../worker/lib/certificates.ts";
import type { Connections } from "../../worker/protocol/link.ts";
import type { PolicyRules } from "../../worker/protocol/policies.ts";
import { effects } from "../effects.ts";
import { type ResolverConfig, renderResolvConf } from "./dns/resolv-conf.ts";
import { Namespace, sh } from "./testing/namespaces.ts";
import type { EndpointSlice, NetworkSettings, NetworkState, Node, Pod, Service } from "./types.ts";

const prefix = `skt${process.pid}`;
const API_PORT = 6443;
/** How long no answer is waited for. */
const BRIEF_MS = 3_000;
const home = mkdtempSync(join(tmpdir(), "skerry-network-"));
const spaces: Namespace[] = [];
const pods: Record<string, { space: Namespace; address: string; nodeName: string }> = {};
let nodeA: Namespace;
let nodeB: Namespace;
let outside: Namespace;

let authority: CertificateAndKey;
let served: CertificateAndKey;

const settings = (podCIDR: string): NetworkSettings => ({
  podCIDR,
  serviceCIDR: "10.96.0.0/16",
  clusterDomain: "cluster.local",
  dnsAddress: "10.96.0.10",
  apiAddress: "10.96.0.1",
  apiCertificate: served.certificate,
  apiKey: served.key,
  upstream: { url: `https://127.0.0.1:${API_PORT}/clusters/test`, ca: authority.certificate },
});

const cidrs: Record<string, string> = { a: "10.244.0.0/24", b: "10.244.1.0/24" };
const nodes: Node[] = ["a", "b"].map((name, i) => ({
  metadata: { name },
  spec: { podCIDR: cidrs[name] },
  status: { addresses: [{ type: "InternalIP", address: `192.168.77.${i + 1}` }] },
}));

async function space(name: string, lanAddress?: string): Promise<Namespace> {
  const made = await Namespace.create(`${prefix}${name}`);
  spaces.push(made);
  if (!lanAddress) return made;
  await sh(`ip -n ${prefix}lan link add to-${name} type veth peer name lan0 netns ${made.name}
    ip -n ${prefix}lan link set to-${name} master br0 up
    ip -n ${made.name} link set lan0 up
    ip -n ${made.name} address add ${lanAddress}/24 dev lan0`);
  return made;
}

async function startNode(node: Namespace, nodeName: string, podCIDR = cidrs[nodeName] ?? ""): Promise<void> {
  const path = join(home, nodeName);
  const options = { home: path, nodeName, clusterName: "test" };
  await node.do("start", { options, settings: settings(podCIDR) });
}

async function addPod(name: string, node: Namespace, nodeName: string): Promise<void> {
  const { address, namespace } = (await node.do("open", name)) as { address: string; namespace: string };
  const pod = await Namespace.enter(namespace);
  spaces.push(pod);
  pods[name] = { space: pod, address, nodeName };
  await pod.do("serve", { name, port: 8080 });
}

function service(name: string, clusterIP: string, more: Service["spec"] = {}): Service {
  const ports = [
    { name: "http", protocol: "TCP", port: 80, nodePort: more.ports?.[0]?.nodePort },
    { name: "datagrams", protocol: "UDP", port: 80, nodePort: more.ports?.[0]?.nodePort },
  ];
  return { metadata: { namespace: "default", name }, spec: { clusterIP, ...more, ports } };
}

function slice(name: string, backends: readonly string[], ready = true): EndpointSlice {
  return {
    metadata: { namespace: "default", name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [
      { name: "http", protocol: "TCP", port: 8080 },
      { name: "datagrams", protocol: "UDP", port: 8080 },
    ],
    endpoints: backends.map((pod) => ({
      addresses: [pods[pod]?.address ?? ""],
      conditions: { ready },
      hostname: pod,
      nodeName: pods[pod]?.nodeName,
    })),
  };
}

const podObjects = (nodeName: string): Pod[] =>
  Object.entries(pods)
    .filter(([, pod]) => pod.nodeName === nodeName)
    .map(([name, { address }]) => ({
      metadata: { namespace: "default", name },
      spec: { containers: [{ ports: name === "a1" ? [{ containerPort: 8080, hostPort: 8081 }] : [] }] },
      status: { podIP: address },
    }));

type Rules = { rules?: Record<string, PolicyRules> };

async function sync(state: Partial<NetworkState> & Rules): Promise<void> {
  const whole = { services: [], endpointSlices: [], nodes, ...state };
  await Promise.all([
    nodeA.do("sync", { ...whole, pods: podObjects("a") }),
    nodeB.do("sync", { ...whole, pods: podObjects("b") }),
  ]);
}

const names = (answers: readonly string[]) => [...new Set(answers.map((answer) => answer.split(" ")[0]))].sort();
const podSpace = (name: string) => pods[name]?.space as Namespace;
const podAddress = (name: string) => pods[name]?.address ?? "";

beforeAll(async () => {
  await sh(
    `ip netns add ${prefix}lan && ip -n ${prefix}lan link add br0 type bridge && ip -n ${prefix}lan link set br0 up`,
  );
  authority = await createAuthority("test", effects.now());
  const names = { dns: ["kubernetes.default", "kubernetes.default.svc"], ip: ["127.0.0.1"] };
  served = await issueServer(authority, "kubernetes.default", names, effects.now());
  nodeA = await space("a", "192.168.77.1");
  nodeB = await space("b", "192.168.77.2");
  outside = await space("o", "192.168.77.9");
  await Promise.all([startNode(nodeA, "a"), startNode(nodeB, "b")]);
  for (const name of ["a1", "a2"]) await addPod(name, nodeA, "a");
  await addPod("b1", nodeB, "b");
});

afterAll(async () => {
  await Promise.all(spaces.map((one) => one.remove()));
  await sh(`ip netns del ${prefix}lan`).catch(() => {});
  rmSync(home, { recursive: true, force: true });
});

describe("a Service's address", () => {
  test("leads pods and the node's processes to every endpoint, with the pod's own address as the source", async () => {
    await sync({ services: [service("web", "10.96.1.1")], endpointSlices: [slice("web", ["a1", "a2", "b1"])] });
    for (const protocol of ["tcp", "udp"] as const) {
      const answers = await podSpace("a1").probe(protocol, { host: "10.96.1.1", port: 80, times: 40 });
      expect(names(answers)).toEqual(["a1", "a2", "b1"]);
      expect(answers.filter((answer) => /^a2|^b1/.test(answer)).every((a) => a.endsWith(` ${podAddress("a1")}`))).toBe(
        true,
      );
      expect(names(await nodeA.probe(protocol, { host: "10.96.1.1", port: 80, times: 40 }))).toEqual([
        "a1",
        "a2",
        "b1",
      ]);
    }
  });

  test("leads a pod to itself too", async () => {
    await sync({ services: [service("self", "10.96.1.2")], endpointSlices: [slice("self", ["a1"])] });
    expect(names(await podSpace("a1").probe("tcp", { host: "10.96.1.2", port: 80, times: 3 }))).toEqual(["a1"]);
    expect(names(await podSpace("a1").probe("udp", { host: "10.96.1.2", port: 80, times: 3 }))).toEqual(["a1"]);
  });

  test("refuses at once when there is no endpoint or no such port", async () => {
    await sync({ services: [service("none", "10.96.1.3", { type: "NodePort", ports: [{ nodePort: 30003 }] })] });
    for (const from of [podSpace("a1"), nodeA]) {
      expect(await from.probe("tcp", { host: "10.96.1.3", port: 80 })).toEqual(["ECONNREFUSED"]);
      expect(await from.probe("udp", { host: "10.96.1.3", port: 80 })).toEqual(["ECONNREFUSED"]);
      expect(await from.probe("tcp", { host: "10.96.1.3", port: 81 })).toEqual(["ECONNREFUSED"]);
    }
    expect(await outside.probe("tcp", { host: "192.168.77.1", port: 30003 })).toEqual(["ECONNREFUSED"]);
  });

  test("no longer leads to an endpoint that left, not even a UDP client that keeps its port", async () => {
    const services = [service("web", "10.96.1.1")];
    await sync({ services, endpointSlices: [slice("web", ["a2"])] });
    const probe = { host: "10.96.1.1", port: 80, from: 4000 };
    expect(names(await podSpace("a1").probe("udp", probe))).toEqual(["a2"]);
    await sync({ services, endpointSlices: [slice("web", ["b1"])] });
    expect(names(await podSpace("a1").probe("udp", probe))).toEqual(["b1"]);
    expect(names(await podSpace("a1").probe("tcp", { host: "10.96.1.1", port: 80, times: 10 }))).toEqual(["b1"]);
  });

  test("with ClientIP affinity keeps a client where it is while other endpoints come and go", async () => {
    const services = [service("sticky", "10.96.1.4", { sessionAffinity: "ClientIP" })];
    const probe = { host: "10.96.1.4", port: 80, times: 12 };
    await sync({ services, endpointSlices: [slice("sticky", ["a1", "a2", "b1"])] });
    const [chosen = ""] = names(await podSpace("a1").probe("tcp", probe));
    const others = ["a1", "a2", "b1"].filter((name) => name !== chosen);
    await sync({ services, endpointSlices: [slice("sticky", [chosen, others[0] ?? ""])] });
    expect(names(await podSpace("a1").probe("tcp", probe))).toEqual([chosen]);
    await sync({ services, endpointSlices: [slice("sticky", others)] });
    expect(names(await podSpace("a1").probe("tcp", probe))).toHaveLength(1);
  });
});

const nap = service("nap", "10.96.1.9", { type: "NodePort", ports: [{ nodePort: 30009 }] });
const sleeping = [{ ...nap, metadata: { ...nap.metadata, annotations: { "skerry.dev/scale-to-zero": "1m" } } }];
const PATIENCE = { timeout: 60_000 };
type Asked = { wakers: Waker[]; connections: Connections };
const asked = async (node = nodeA) => (await node.do("asked", {})) as Asked;
const open = async (node = nodeA) => (await asked(node)).connections.services["default/nap"]?.pending ?? 0;

describe("a Service that sleeps", () => {
  const services = sleeping;
  const inside = { host: "10.96.1.9", port: 80, limitMs: 60_000 };

  test("has connections wait for its first endpoint, and datagrams wake it; all is counted", async () => {
    await sync({ services });
    const datagram = { host: "10.96.1.9", port: 80, from: 4009 };
    expect(await podSpace("a2").probe("udp", { ...datagram, limitMs: 500 })).toEqual(["timeout"]);
    const answers = [podSpace("a1").probe("tcp", inside)];
    await expect
      .poll(async () => (await asked()).wakers, PATIENCE)
      .toEqual(
        expect.arrayContaining([
          { protocol: "UDP", port: 80, address: podAddress("a2") },
          { protocol: "TCP", port: 80, address: podAddress("a1") },
        ]),
      );
    answers.push(outside.probe("tcp", { ...inside, host: "192.168.77.1", port: 30009 }));
    await expect.poll(() => open(), PATIENCE).toBeGreaterThanOrEqual(2);
    await sync({ services, endpointSlices: [slice("nap", ["b1"])] });
    // The pod's is seen as one of the range of pods, by which policies there judge it.
    expect(await Promise.all(answers)).toEqual([["b1 10.244.0.1"], ["b1 192.168.77.1"]]);
    // Who comes now is led there by the kernel, and seen as who it is.
    expect(await podSpace("a1").probe("tcp", inside)).toEqual([`b1 ${podAddress("a1")}`]);
    expect(await podSpace("a2").probe("udp", datagram)).toEqual([`b1 ${podAddress("a2")}`]);
    const [, ended = ""] = (await nodeA.exec("nft list ruleset")).split("set ended {");
    expect(ended.slice(0, ended.indexOf("chain "))).toContain("10.96.1.9 . udp . 80 ");
    const { connections } = await asked();
    expect(connections.services["default/nap"]).toMatchObject({
      perSecond: expect.any(Number),
      idleMs: expect.any(Number),
    });
    expect(connections.services["default/nap"]?.perSecond).toBeGreaterThan(0);
  });

  test("resets those that a policy has a say in when they could come, so that they come again as who they are", async () => {
    const rules = { "default/closed": { podSelector: { matchLabels: {} }, egress: [] } };
    await sync({ services, rules });
    await expect.poll(() => open(), PATIENCE).toBe(0); // of the test before
    const answer = podSpace("a1").probe("tcp", inside);
    await expect.poll(() => open(), PATIENCE).toBeGreaterThanOrEqual(1);
    await sync({ services, rules, endpointSlices: [slice("nap", ["b1"])] });
    expect(await answer).toEqual(["ECONNRESET"]);
    await sync({ services, rules: {} });
  });
});

describe("ClientIP affinity", () => {
  test("can be switched off and on again, for a Service's address and its NodePort", async () => {
    const endpointSlices = [slice("sticky", ["a1", "a2", "b1"])];
    const places = [
      { host: "10.96.1.4", port: 80, times: 60 },
      { host: "192.168.77.1", port: 30004, times: 60 },
      { host: "192.168.77.2", port: 30004, times: 60 },
    ];
    for (const [sessionAffinity, count] of [
      ["ClientIP", 1],
      ["None", 3],
      ["ClientIP", 1],
    ] as const) {
      const spec = { type: "NodePort", sessionAffinity, ports: [{ nodePort: 30004 }] };
      await sync({ services: [service("sticky", "10.96.1.4", spec)], endpointSlices });
      for (const from of [podSpace("a1"), podSpace("b1"), nodeA])
        for (const place of places) {
          const found = names(await from.probe("tcp", place));
          expect(found, `${place.host} from ${from.name}, affinity ${sessionAffinity}`).toHaveLength(count);
          expect(["a1", "a2", "b1"]).toEqual(expect.arrayContaining(found));
        }
    }
  });
});

describe("a NodePort", () => {
  const type = { type: "NodePort", ports: [{ nodePort: 30001 }] };

  test("answers on every address of every node, loopback included", async () => {
    await sync({ services: [service("web", "10.96.1.1", type)], endpointSlices: [slice("web", ["a1", "a2", "b1"])] });
    for (const host of ["192.168.77.1", "192.168.77.2"])
      expect(names(await outside.probe("tcp", { host, port: 30001, times: 40 }))).toEqual(["a1", "a2", "b1"]);
    expect(names(await nodeA.probe("tcp", { host: "127.0.0.1", port: 30001, times: 40 }))).toEqual(["a1", "a2", "b1"]);
    expect(names(await podSpace("a1").probe("tcp", { host: "192.168.77.1", port: 30001, times: 40 }))).toHaveLength(3);
  });

  test("is found by a UDP client that asked before it was there, and keeps its port", async () => {
    await sync({});
    const probes = [
      [outside, { host: "192.168.77.1", port: 30009, from: 4009 }],
      [nodeA, { host: "127.0.0.1", port: 30009, from: 4009 }],
    ] as const;
    for (const [from, probe] of probes) expect(await from.probe("udp", probe)).toEqual(["ECONNREFUSED"]);
    const services = [service("web", "10.96.1.1", { type: "NodePort", ports: [{ nodePort: 30009 }] })];
    await sync({ services, endpointSlices: [slice("web", ["a1"])] });
    for (const [from, probe] of probes) expect(names(await from.probe("udp", probe))).toEqual(["a1"]);
  });

  test("with externalTrafficPolicy Local keeps the client's address and drops where no endpoint is", async () => {
    const services = [service("web", "10.96.1.1", { ...type, externalTrafficPolicy: "Local" })];
    await sync({ services, endpointSlices: [slice("web", ["a1", "a2"])] });
    const answers = await outside.probe("tcp", { host: "192.168.77.1", port: 30001, times: 20 });
    expect([...new Set(answers)].sort()).toEqual(["a1 192.168.77.9", "a2 192.168.77.9"]);
    expect(await outside.probe("tcp", { host: "192.168.77.2", port: 30001, limitMs: BRIEF_MS })).toEqual(["timeout"]);
    expect(names(await nodeB.probe("tcp", { host: "127.0.0.1", port: 30001, times: 20 }))).toEqual(["a1", "a2"]);
  });

  test("a hostPort leads to its pod, from outside and on loopback", async () => {
    await sync({});
    expect(names(await outside.probe("tcp", { host: "192.168.77.1", port: 8081 }))).toEqual(["a1"]);
    expect(names(await nodeA.probe("tcp", { host: "127.0.0.1", port: 8081 }))).toEqual(["a1"]);
  });
});

describe("a load balancer's address", () => {
  const ADDRESS = "192.168.77.200";
  const announced = (by: string): Service => ({
    ...service("web", "10.96.0.7", { type: "LoadBalancer", externalTrafficPolicy: "Local" }),
    metadata: { namespace: "default", name: "web", annotations: { "skerry.dev/announced-by": by } },
    status: { loadBalancer: { ingress: [{ ip: ADDRESS, ipMode: "VIP" }] } },
  });
  const neighbour = () => outside.exec(`ip neighbour show ${ADDRESS}`);
  const hardware = (node: Namespace) => node.exec("cat /sys/class/net/lan0/address");

  test("is one node's in the local network, moves at once, and goes", async () => {
    const endpointSlices = [slice("web", ["a1", "b1"])];
    await sync({ services: [announced("a")], endpointSlices });
    const answers = await outside.probe("tcp", { host: ADDRESS, port: 80, times: 3 });
    expect(answers).toEqual(Array.from({ length: 3 }, () => "a1 192.168.77.9"));
    expect(await neighbour()).toContain((await hardware(nodeA)).trim());
    await sync({ services: [announced("b")], endpointSlices });
    // Without a question: what the neighbour knew was corrected.
    const own = (await hardware(nodeB)).trim();
    await eventually("the neighbour knows", async () => (await neighbour()).includes(own));
    expect(await outside.probe("tcp", { host: ADDRESS, port: 80 })).toEqual(["b1 192.168.77.9"]);
    await sync({ services: [], endpointSlices: [] });
    for (const node of [nodeA, nodeB]) expect(await node.exec("ip -br address")).not.toContain(ADDRESS);
  });
});

describe("between nodes", () => {
  test("pods see each other's own addresses", async () => {
    await sync({});
    expect(await podSpace("a1").probe("tcp", { host: podAddress("b1"), port: 8080 })).toEqual([
      `b1 ${podAddress("a1")}`,
    ]);
    expect(await podSpace("b1").probe("tcp", { host: podAddress("a2"), port: 8080 })).toEqual([
      `a2 ${podAddress("b1")}`,
    ]);
  });

  test("pods speak to others with their node's address", async () => {
    await outside.do("serve", { name: "outside", port: 9000 });
    expect(await podSpace("a1").probe("tcp", { host: "192.168.77.9", port: 9000 })).toEqual(["outside 192.168.77.1"]);
  });

  test("the route to a node that left goes, and returns with it", async () => {
    await sync({ nodes: nodes.slice(0, 1) });
    expect(await nodeA.exec("ip route show proto 142")).not.toContain("10.244.1.0/24");
    await sync({});
    expect(await nodeA.exec("ip route show proto 142")).toContain("10.244.1.0/24 via 192.168.77.2 dev lan0");
  });
});

describe("cluster DNS", () => {
  test("a resolver in a pod finds Services by all their names, and endpoints of headless ones", async () => {
    await sync({
      services: [service("web", "10.96.1.1"), service("db", "None")],
      endpointSlices: [slice("web", ["a1"]), slice("db", ["a1", "b1"])],
    });
    const config = (await nodeA.do("dns", { metadata: { namespace: "default" } })) as ResolverConfig;
    podSpace("a2").resolvConf(renderResolvConf(config));
    const lookup = (name: string) => podSpace("a2").exec(`busybox nslookup ${name}`);
    const isFound = (name: string, address: string) =>
      eventually(`${name} is ${address}`, async () => (await lookup(name)).includes(address));
    for (const name of ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local"])
      await eventually(`${name} is found`, async () =>
        (await podSpace("a2").exec(`busybox wget -qO- -T 2 http://${name}/ 2>&1; getent hosts ${name}`)).includes(
          "10.96.1.1",
        ),
      );
    await isFound("db.default.svc.cluster.local", podAddress("b1"));
    await isFound("b1.db.default.svc.cluster.local", podAddress("b1"));
    await isFound("kubernetes.default.svc.cluster.local", "10.96.0.1");
    expect(await lookup("nobody.default.svc.cluster.local")).toMatch(/NXDOMAIN|can't find/);
  });
});

describe("the API for pods", () => {
  const ask = () =>
    podSpace("a1").do("https", {
      host: "10.96.0.1",
      port: 443,
      path: "/api/v1/pods?watch=1",
      ca: authority.certificate,
      token: "t",
    });

  test("says in a Status that the cluster cannot be reached when it cannot", async () => {
    expect(await ask()).toMatch(/^503 .*"reason":"ServiceUnavailable"/);
  });

  test("is the cluster's, asked with the pod's own token, under a certificate that the pod can trust", async () => {
    await nodeA.do("upstream", { port: API_PORT, ...served });
    expect(await ask()).toBe("200 GET /clusters/test/api/v1/pods?watch=1 Bearer t");
  });
});

describe("a machine of other habits", () => {
  test("whose firewall drops what it does not know still lets pods through", async () => {
    await nodeB.do("stop", { remove: false });
    await nodeB.exec("iptables -P FORWARD DROP; iptables -P INPUT DROP");
    await startNode(nodeB, "b");
    await sync({ services: [service("web", "10.96.1.1")], endpointSlices: [slice("web", ["a1"])] });
    expect(names(await podSpace("b1").probe("tcp", { host: "10.96.1.1", port: 80 }))).toEqual(["a1"]);
    expect(names(await podSpace("a1").probe("tcp", { host: podAddress("b1"), port: 8080 }))).toEqual(["b1"]);
    const ports = [{ nodePort: 30001 }];
    await sync({
      services: [service("web", "10.96.1.1", { type: "NodePort", ports })],
      endpointSlices: [slice("web", ["a1"])],
    });
    expect(names(await outside.probe("tcp", { host: "192.168.77.2", port: 30001 }))).toEqual(["a1"]);
    await sync({ services: sleeping });
    const held = outside.probe("tcp", { host: "192.168.77.2", port: 30009, limitMs: 60_000 });
    await expect.poll(() => open(nodeB), PATIENCE).toBe(1);
    await sync({ services: sleeping, endpointSlices: [slice("nap", ["b1"])] });
    expect(names(await held)).toEqual(["b1"]);
    await nodeB.do("stop", { remove: true });
    expect(await nodeB.exec("iptables -S")).not.toContain("skerry");
    await nodeB.exec("iptables -P FORWARD ACCEPT; iptables -P INPUT ACCEPT");
    await startNode(nodeB, "b");
    await sync({});
  });

  test("whose other programs flush tables and routes gets them back", async () => {
    await sync({ services: [service("web", "10.96.1.1")], endpointSlices: [slice("web", ["b1"])] });
    // The agent looks by itself from time to time, and may have been first.
    await eventually("the Service is gone", async () => {
      await nodeA.exec(
        "nft flush ruleset; ip route flush proto 142; ip link delete $(ip -br link | grep -o '^sk-[0-9a-f]*')",
      );
      return names(await nodeA.probe("tcp", { host: "10.96.1.1", port: 80, limitMs: BRIEF_MS })).join() !== "b1";
    });
    await nodeA.do("verify", {});
    for (const from of [podSpace("a1"), nodeA])
      expect(names(await from.probe("tcp", { host: "10.96.1.1", port: 80 }))).toEqual(["b1"]);
    await eventually("names are found", async () =>
      (await podSpace("a2").exec("busybox nslookup kubernetes.default.svc.cluster.local")).includes("10.96.0.1"),
    );
  });

  test("with two clusters of the same service addresses gives each pod its own cluster's", async () => {
    // The same machine as node a: a process beside the first agent, in the same network namespace.
    const beside = await Namespace.enter(nodeA.name);
    spaces.push(beside);
    await startNode(beside, "c", "10.77.0.0/24");
    await addPod("c1", beside, "c");
    const services = [service("web", "10.96.1.1")];
    await sync({ services, endpointSlices: [slice("web", ["a2"])] });
    const other = { services, endpointSlices: [slice("web", ["c1"])], nodes: [], pods: podObjects("c") };
    await beside.do("sync", other);
    expect(names(await podSpace("a1").probe("tcp", { host: "10.96.1.1", port: 80, times: 10 }))).toEqual(["a2"]);
    expect(names(await podSpace("c1").probe("tcp", { host: "10.96.1.1", port: 80, times: 10 }))).toEqual(["c1"]);
    await beside.do("stop", { remove: true });
    expect(names(await podSpace("a1").probe("tcp", { host: "10.96.1.1", port: 80, times: 10 }))).toEqual(["a2"]);
  });

  test("with its pod addresses taken says by whom", async () => {
    await outside.exec("ip address add 10.88.0.7/24 dev lan0");
    await expect(startNode(outside, "taken", "10.88.0.0/24")).rejects.toThrow(
      "pod addresses 10.88.0.0/24 are in use by interface lan0",
    );
  });
});

describe("a pod's namespace", () => {
  test("stays when the agent starts anew, and gives its address back when it is closed", async () => {
    const opened = (await nodeA.do("open", "brief")) as { address: string };
    await startNode(nodeA, "a");
    const again = (await nodeA.do("open", "other")) as { address: string };
    expect(again.address).not.toBe(opened.address);
    await nodeA.do("close", "other");
    expect(await nodeA.do("close", "brief")).toEqual({ opened: expect.not.arrayContaining(["brief"]), address: "" });
    const renewed = (await nodeA.do("open", "a1-renewed")) as { address: string };
    expect(Object.values(pods).map(({ address }) => address)).not.toContain(renewed.address);
    await nodeA.do("close", "a1-renewed");
  });
});

describe("at the end", () => {
  test("nothing stays in the kernel or on disk, and a second start finds all as the first", async () => {
    await nodeA.do("stop", { remove: false });
    await nodeA.do("stop", { remove: true });
    const left = "nft list tables; ip link; ip route show proto 142";
    expect(await nodeA.exec(left)).not.toMatch(/skerry|sk-|proto 142|10\.244\.1/);
    expect(readdirSync("/run/netns").filter((name) => name === podSpace("a1").name)).toEqual([]);
    await startNode(nodeA, "a");
    await sync({ services: [service("web", "10.96.1.1")], endpointSlices: [slice("web", ["b1"])] });
    expect(names(await nodeA.probe("tcp", { host: "10.96.1.1", port: 80 }))).toEqual(["b1"]);
    await nodeA.do("stop", { remove: true });
  });
});
