import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Waker } from "../../worker/kinds/ingress/idle.ts";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";
import type { Connections } from "../../worker/protocol/link.ts";
import type { PolicyPeer } from "../../worker/protocol/policies.ts";
import { effects } from "../effects.ts";
import type { Commands } from "./testing/inside.ts";
import { Namespace, sh } from "./testing/namespaces.ts";
import type { EndpointSlice, Node, Pod, Service } from "./types.ts";

/** What a policy drops is not answered; how long that is listened for. */
const SILENCE_MS = 500;

const prefix = `skd${process.pid}`;
const home = mkdtempSync(join(tmpdir(), "skerry-dual-"));
const spaces: Namespace[] = [];
type Synced = Commands["sync"];
type Opened = { addresses: string[]; namespace: string };
const pods: Record<string, Opened & { space: Namespace; nodeName: string }> = {};
let nodeA: Namespace;
let nodeB: Namespace;
let outside: Namespace;

const ranges: Record<string, string[]> = {
  a: ["10.244.0.0/24", "fd00:244::/64"],
  b: ["10.244.1.0/24", "fd00:244:0:1::/64"],
};
const nodes: Node[] = ["a", "b"].map((name, i) => ({
  metadata: { name },
  spec: { podCIDR: ranges[name]?.[0] ?? "", podCIDRs: ranges[name] ?? [] },
  status: {
    addresses: [`192.168.78.${i + 1}`, `2001:db8::${i + 1}`].map((address) => ({ type: "InternalIP", address })),
  },
}));

/** A machine on the network of the test: `2001:db8::n`. What it is called on its link has to be found free first. */
async function machine(name: string, n: number): Promise<Namespace> {
  const made = await Namespace.create(`${prefix}${name}`);
  spaces.push(made);
  await sh(`ip -n ${prefix}lan link add to-${name} type veth peer name lan0 netns ${made.name}
    ip -n ${prefix}lan link set to-${name} master br0 up
    ip -n ${made.name} link set lan0 up
    ip -n ${made.name} address add 192.168.78.${n}/24 dev lan0
    ip -n ${made.name} address add 2001:db8::${n}/64 dev lan0 nodad
    while ip -n ${made.name} -6 address show dev lan0 | grep tentative; do sleep 0.1; done`);
  return made;
}

async function startNode(node: Namespace, nodeName: string): Promise<void> {
  const [podCIDR = "", podCIDR6 = ""] = ranges[nodeName] ?? [];
  const authority = await createAuthority("test", effects.now());
  const served = await issueServer(
    authority,
    "kubernetes.default",
    { dns: ["kubernetes.default"], ip: [] },
    effects.now(),
  );
  await node.do("start", {
    options: { home: join(home, nodeName), nodeName, clusterName: "test" },
    settings: {
      podCIDR,
      serviceCIDR: "10.96.0.0/16",
      ipv6: { podCIDR: podCIDR6, serviceCIDR: "fd00:96::/112" },
      clusterDomain: "cluster.local",
      dnsAddress: "10.96.0.10",
      apiAddress: "10.96.0.1",
      apiCertificate: served.certificate,
      apiKey: served.key,
      upstream: { url: "https://127.0.0.1:1/clusters/test", ca: authority.certificate },
    },
  });
}

async function addPod(name: string, node: Namespace, nodeName: string): Promise<void> {
  const opened = (await node.do("open", name)) as Opened;
  const space = await Namespace.enter(opened.namespace);
  spaces.push(space);
  pods[name] = { ...opened, space, nodeName };
  await space.do("serve", { name, port: 8080 });
}

const service = (name: string, clusterIPs: string[], more: Service["spec"] = {}): Service => ({
  metadata: { namespace: "default", name },
  spec: {
    clusterIP: clusterIPs[0] ?? "",
    clusterIPs,
    ...more,
    ports: ["TCP", "UDP"].map((protocol) => ({ name: protocol, protocol, port: 80, ...more?.ports?.[0] })),
  },
});

const slices = (name: string, backends: readonly string[]): EndpointSlice[] =>
  ["IPv4", "IPv6"].map((addressType, family) => ({
    metadata: { namespace: "default", name: `${name}-${addressType}`, labels: { "kubernetes.io/service-name": name } },
    addressType,
    ports: ["TCP", "UDP"].map((protocol) => ({ name: protocol, protocol, port: 8080 })),
    endpoints: backends.map((pod) => ({
      addresses: [pods[pod]?.addresses[family] ?? ""],
      conditions: { ready: true },
      nodeName: pods[pod]?.nodeName ?? "",
    })),
  }));

const podObjects = (nodeName: string): Pod[] =>
  Object.entries(pods)
    .filter(([, pod]) => pod.nodeName === nodeName)
    .map(([name, { addresses }]) => ({
      metadata: { namespace: "default", name, labels: { name } },
      spec: { containers: [{ ports: name === "a1" ? [{ containerPort: 8080, hostPort: 8081 }] : [] }] },
      status: { podIP: addresses[0] ?? "", podIPs: addresses.map((ip) => ({ ip })) },
    }));

async function sync(services: Service[], endpointSlices: EndpointSlice[], more: Pick<Synced, "rules" | "peers"> = {}) {
  const whole = { services, endpointSlices, nodes, ...more };
  await nodeA.do("sync", { ...whole, pods: podObjects("a") });
  await nodeB.do("sync", { ...whole, pods: podObjects("b") });
}

const names = (answers: readonly string[]) => [...new Set(answers.map((answer) => answer.split(" ")[0]))].sort();
const sources = (answers: readonly string[]) => [...new Set(answers.map((answer) => answer.split(" ")[1]))];
const podSpace = (name: string) => pods[name]?.space as Namespace;
const address6 = (name: string) => pods[name]?.addresses[1] ?? "";

beforeAll(async () => {
  await sh(
    `ip netns add ${prefix}lan && ip -n ${prefix}lan link add br0 type bridge && ip -n ${prefix}lan link set br0 up`,
  );
  nodeA = await machine("a", 1);
  nodeB = await machine("b", 2);
  outside = await machine("o", 9);
  await startNode(nodeA, "a");
  await startNode(nodeB, "b");
  for (const name of ["a1", "a2"]) await addPod(name, nodeA, "a");
  await addPod("b1", nodeB, "b");
});

afterAll(async () => {
  await Promise.all(spaces.map((one) => one.remove()));
  await sh(`ip netns del ${prefix}lan`).catch(() => {});
  rmSync(home, { recursive: true, force: true });
});

test("a pod has an address of each family, and by both it reaches pods of its node and of others as itself", async () => {
  expect(pods.a1?.addresses).toEqual(["10.244.0.2", "fd00:244::2"]);
  expect(pods.b1?.addresses).toEqual(["10.244.1.2", "fd00:244:0:1::2"]);
  await sync([], []);
  for (const family of [0, 1])
    for (const to of ["a2", "b1"]) {
      const probe = { host: pods[to]?.addresses[family] ?? "", port: 8080 };
      const answers = [...(await podSpace("a1").probe("tcp", probe)), ...(await podSpace("a1").probe("udp", probe))];
      expect(answers).toEqual(Array(2).fill(`${to} ${pods.a1?.addresses[family]}`));
    }
});

test("the node's own processes reach its pods, and pods reach others by their node's address", async () => {
  await sync([], []);
  expect(await nodeA.probe("tcp", { host: address6("a1"), port: 8080 })).toEqual(["a1 fd00:244::1"]);
  await outside.do("serve", { name: "outside", port: 9090 });
  expect(await podSpace("a1").probe("tcp", { host: "2001:db8::9", port: 9090 })).toEqual(["outside 2001:db8::1"]);
});

test("a Service's addresses lead pods and the node to every endpoint, with the pod's own address as the source", async () => {
  await sync([service("web", ["10.96.1.1", "fd00:96::101"])], slices("web", ["a1", "a2", "b1"]));
  for (const protocol of ["tcp", "udp"] as const) {
    for (const host of ["10.96.1.1", "fd00:96::101"]) {
      expect(names(await podSpace("a1").probe(protocol, { host, port: 80, times: 40 }))).toEqual(["a1", "a2", "b1"]);
      expect(names(await nodeA.probe(protocol, { host, port: 80, times: 40 }))).toEqual(["a1", "a2", "b1"]);
    }
  }
  await sync([service("web", ["10.96.1.1", "fd00:96::101"])], slices("web", ["b1"]));
  const answers = await podSpace("a1").probe("tcp", { host: "fd00:96::101", port: 80, times: 3 });
  expect(sources(answers)).toEqual([address6("a1")]);
  await sync([service("web", ["fd00:96::101"])], slices("web", ["a1"]));
  expect(names(await podSpace("a1").probe("tcp", { host: "fd00:96::101", port: 80, times: 3 }))).toEqual(["a1"]);
  expect(await podSpace("a1").probe("tcp", { host: "10.96.1.1", port: 80 })).toEqual(["ECONNREFUSED"]);
});

test("what nobody serves is refused at once", async () => {
  await sync([service("none", ["fd00:96::103"], { type: "NodePort", ports: [{ nodePort: 30003 }] })], []);
  for (const from of [podSpace("a1"), nodeA]) {
    expect(await from.probe("tcp", { host: "fd00:96::103", port: 80 })).toEqual(["ECONNREFUSED"]);
    expect(await from.probe("udp", { host: "fd00:96::103", port: 80 })).toEqual(["ECONNREFUSED"]);
    expect(await from.probe("tcp", { host: "fd00:96::104", port: 80 })).toEqual(["ECONNREFUSED"]);
  }
  expect(await outside.probe("tcp", { host: "2001:db8::1", port: 30003 })).toEqual(["ECONNREFUSED"]);
});

test("connections are counted and held in both families", async () => {
  const annotations = { "skerry.dev/scale-to-zero": "1m" };
  const nap = service("nap", ["10.96.1.7", "fd00:96::107"]);
  const services = [{ ...nap, metadata: { ...nap.metadata, annotations } }];
  await sync(services, []);
  const [host4, host6] = ["10.96.1.7", "fd00:96::107"];
  const asked = async () => (await nodeA.do("asked", {})) as { wakers: Waker[]; connections: Connections };
  await expect
    .poll(async () => {
      await nodeA.probe("udp", { host: host6, port: 80, limitMs: SILENCE_MS }); // told a second after the last word
      return (await asked()).wakers;
    })
    .toContainEqual({ protocol: "UDP", port: 80, address: "fd00:244::1" });
  const held = [
    podSpace("a1").probe("tcp", { host: host4, port: 80, limitMs: 60_000 }),
    podSpace("a2").probe("tcp", { host: host6, port: 80, limitMs: 60_000 }),
  ];
  await expect.poll(async () => (await asked()).connections.services["default/nap"]?.pending ?? 0).toBe(2);
  await sync(services, slices("nap", ["b1"]));
  expect(await Promise.all(held)).toEqual([["b1 10.244.0.1"], ["b1 fd00:244::1"]]);
  await sync([service("six", ["fd00:96::108"])], slices("six", ["b1"]));
  expect(names(await podSpace("a1").probe("tcp", { host: "fd00:96::108", port: 80 }))).toEqual(["b1"]);
  const { connections } = await asked();
  expect(connections.services["default/six"]?.perSecond).toBeGreaterThan(0);
});

test("a UDP client that keeps its port is led on when its endpoint leaves", async () => {
  const services = [service("web", ["10.96.1.1", "fd00:96::101"])];
  const probe = { host: "fd00:96::101", port: 80, from: 4000 };
  await sync(services, slices("web", ["a2"]));
  expect(names(await podSpace("a1").probe("udp", probe))).toEqual(["a2"]);
  await sync(services, slices("web", ["b1"]));
  expect(names(await podSpace("a1").probe("udp", probe))).toEqual(["b1"]);
});

test("ClientIP affinity keeps a client with its endpoint", async () => {
  const sticky = service("sticky", ["10.96.1.4", "fd00:96::105"], { sessionAffinity: "ClientIP" });
  await sync([sticky], slices("sticky", ["a1", "a2", "b1"]));
  for (const host of ["10.96.1.4", "fd00:96::105"])
    expect(names(await podSpace("a1").probe("tcp", { host, port: 80, times: 20 }))).toHaveLength(1);
});

test("node ports, host ports and external addresses lead in from outside; Local keeps the client's address", async () => {
  const spec = { type: "NodePort", externalIPs: ["2001:db8::1"], ports: [{ nodePort: 30001 }] };
  await sync([service("open", ["10.96.1.6", "fd00:96::106"], spec)], slices("open", ["a1", "b1"]));
  for (const host of ["2001:db8::1", "2001:db8::2", "192.168.78.2"])
    expect(names(await outside.probe("tcp", { host, port: 30001, times: 40 }))).toEqual(["a1", "b1"]);
  expect(names(await outside.probe("tcp", { host: "2001:db8::1", port: 80, times: 40 }))).toEqual(["a1", "b1"]);
  expect(await outside.probe("tcp", { host: "2001:db8::1", port: 8081 })).toEqual(["a1 2001:db8::9"]);
  // Two Services name one address, in two ways: one has it, and all else is as it was.
  const other = service("other", ["10.96.1.8", "FD00:96::0109"], { externalIPs: ["2001:DB8:0::1"] });
  await sync(
    [service("open", ["10.96.1.6", "fd00:96::106"], spec), other],
    [...slices("open", ["a1", "b1"]), ...slices("other", ["a2"])],
  );
  expect(names(await outside.probe("tcp", { host: "2001:db8::1", port: 80, times: 3 }))).toEqual(["a2"]);
  expect(names(await podSpace("b1").probe("tcp", { host: "fd00:96::109", port: 80 }))).toEqual(["a2"]);
  const local = service("open", ["10.96.1.6", "fd00:96::106"], { ...spec, externalTrafficPolicy: "Local" });
  await sync([local], slices("open", ["a1", "b1"]));
  expect(await outside.probe("tcp", { host: "2001:db8::2", port: 30001 })).toEqual(["b1 2001:db8::9"]);
});

test("policies hold in both families: what comes in, what goes out, and to whom", async () => {
  const ask = (from: Namespace, name: string, family: number) =>
    from.probe("tcp", { host: pods[name]?.addresses[family] ?? "", port: 8080 });
  const isKept = async (from: Namespace, host: string, port = 8080) =>
    expect(await from.probe("tcp", { host, port, limitMs: SILENCE_MS })).toEqual(["timeout"]);
  const a2 = { podSelector: { matchLabels: { name: "a2" } } };
  await sync([], [], { rules: { "default/closed": { ...a2, ingress: [] } } });
  await isKept(podSpace("a1"), address6("a2"));
  for (const family of [0, 1]) {
    expect(await ask(podSpace("b1"), "a1", family)).toEqual([`a1 ${pods.b1?.addresses[family]}`]);
  }
  const peers: PolicyPeer[] = [
    { kind: "pods", set: "s" },
    { kind: "block", cidr: "2001:db8::/64", except: [] },
  ];
  const members = pods.b1?.addresses ?? [];
  const rules = { "default/some": { ...a2, ingress: [{ peers }], egress: [] } };
  await sync([], [], { rules, peers: { "b/s": { members } } });
  for (const family of [0, 1]) {
    expect(await ask(podSpace("b1"), "a2", family)).toEqual([`a2 ${pods.b1?.addresses[family]}`]);
  }
  await isKept(podSpace("a1"), address6("a2"));
  await isKept(podSpace("a2"), address6("a1"));
  await nodeA.do("serve", { name: "node", port: 9091 });
  await isKept(podSpace("a2"), "fe80::1%eth0", 9091);
  expect(await ask(nodeA, "a2", 1)).toEqual(["a2 fd00:244::1"]);
  await sync([], [], { rules: {} });
  expect(await ask(podSpace("a1"), "a2", 1)).toEqual([`a2 ${address6("a1")}`]);
  expect(await podSpace("a2").probe("tcp", { host: "fe80::1%eth0", port: 9091 })).toEqual([
    expect.stringMatching(/^node fe80::2%veth/),
  ]);
});

test("a node takes over what its earlier run left, and leaves nothing when it is removed", async () => {
  await startNode(nodeB, "b");
  await sync([service("web", ["fd00:96::101"])], slices("web", ["b1"]));
  expect(await podSpace("a1").probe("tcp", { host: "fd00:96::101", port: 80 })).toEqual([`b1 ${address6("a1")}`]);
  await nodeB.do("stop", { remove: true });
  expect(await nodeB.exec("nft list tables; ip -6 route show proto 142; ip -6 address show scope global")).not.toMatch(
    /skerry|fd00:/,
  );
});
