import { describe, expect, test } from "vitest";
import { IPV4, IPV6 } from "../family.ts";
import type { EndpointSlice, NetworkState, Service } from "../types.ts";
import { rulesFor } from "./rules.ts";
import type { Ruleset } from "./ruleset.ts";
import { staleUdpFlows } from "./table.ts";

const context = { nodeName: "here", family: IPV4, podCIDR: "10.244.0.0/24", own: [] };
type Spec = NonNullable<Service["spec"]>;
type Endpoint = NonNullable<NonNullable<EndpointSlice["endpoints"]>[number]>;

const service = (spec: Spec = {}, name = "web"): Service => ({
  metadata: { namespace: "shop", name },
  spec: { clusterIP: "10.96.0.7", ports: [{ name: "http", protocol: "TCP", port: 80, nodePort: 30080 }], ...spec },
});

const endpoint = (
  address: string,
  nodeName: string,
  conditions: Endpoint["conditions"] = { ready: true },
): Endpoint => ({
  addresses: [address],
  nodeName,
  conditions,
});

const slice = (endpoints: Endpoint[], protocol = "TCP"): EndpointSlice => ({
  metadata: { namespace: "shop", name: "web-x", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "http", protocol, port: 8080 }],
  endpoints,
});

const rules = (state: Partial<NetworkState>, more: Partial<Parameters<typeof rulesFor>[1]> = {}): Ruleset =>
  rulesFor({ services: [], endpointSlices: [], nodes: [], pods: [], ...state }, { ...context, ...more });
const elements = (ruleset: Ruleset, set: string) => Object.fromEntries(ruleset.elements.get(set) ?? []);

const two = [endpoint("10.244.0.5", "here"), endpoint("10.244.1.5", "there")];
const balanced = "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.0.5 . 8080, 1 : 10.244.1.5 . 8080 }";
const onlyLocal = "meta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 10.244.0.5 . 8080 }";

describe("in IPv6", () => {
  const context = { family: IPV6, podCIDR: "fd00:244::/64" };
  const dual = (spec: Spec = {}) => service({ clusterIPs: ["10.96.0.7", "fd00:96::7"], ...spec });
  const slice6 = (...addresses: string[]): EndpointSlice => ({
    ...slice(addresses.map((address) => endpoint(address, "here"))),
    addressType: "IPv6",
  });

  test("a Service that sleeps leads to who holds what comes for it", () => {
    const held = new Map([["shop/web/tcp-80", { address: "fd00:244::1", port: 4000 }]]);
    const asleep = rules({ services: [dual()], endpointSlices: [slice(two)] }, { ...context, held });
    expect(asleep.chains.get("held/shop/web/tcp-80")).toEqual([
      "meta mark set meta mark | 0x40000 meta l4proto tcp dnat ip6 to [fd00:244::1]:4000",
    ]);
  });

  test("a Service has the addresses and endpoints of the family", () => {
    const endpointSlices = [slice(two), slice6("fd00:244::5", "fd00:244::6")];
    const ruleset = rules({ services: [dual()], endpointSlices }, context);
    expect(elements(ruleset, "cluster_ips")).toEqual({ "fd00:96::7 . tcp . 80": "goto service/shop/web/tcp-80" });
    expect(ruleset.chains.get("service/shop/web/tcp-80")).toEqual([
      "meta l4proto tcp dnat ip6 to numgen random mod 2 map { 0 : fd00:244::5 . 8080, 1 : fd00:244::6 . 8080 }",
    ]);
    expect(elements(ruleset, "hairpins")).toEqual({
      "fd00:244::5 . fd00:244::5": "",
      "fd00:244::6 . fd00:244::6": "",
    });
  });

  test("addresses are the kernel's, however they are written: of several spellings there is one element", () => {
    const lb = (name: string, ip: string) => ({
      ...service({ type: "LoadBalancer", clusterIPs: ["FD00:96::0007"], externalIPs: [ip] }, name),
      status: { loadBalancer: { ingress: [{ ip: ip.toUpperCase() }] } },
    });
    const named = { "kubernetes.io/service-name": "other" };
    const endpointSlices = [
      slice6("fd00:244::5", "FD00:244:0::5"),
      { ...slice6("fd00:244::6"), metadata: { namespace: "shop", labels: named } },
    ];
    const containers = [{ ports: [{ containerPort: 8080, hostPort: 81, hostIP: "FD01::2" }] }];
    const pods = [{ spec: { containers }, status: { podIP: "FD00:244::5" } }];
    const ruleset = rules(
      { services: [lb("web", "fd01::1"), lb("other", "FD01:0::1")], endpointSlices, pods },
      context,
    );
    expect(elements(ruleset, "cluster_ips")).toEqual({ "fd00:96::7 . tcp . 80": "goto service/shop/other/tcp-80" });
    expect(elements(ruleset, "external_ips")).toEqual({ "fd01::1 . tcp . 80": "goto external/shop/other/tcp-80" });
    expect(ruleset.chains.get("service/shop/web/tcp-80")?.[0]).toMatch(/mod 1 map { 0 : fd00:244::5 . 8080 }$/);
    expect(elements(ruleset, "hairpins")).toEqual({
      "fd00:244::5 . fd00:244::5": "",
      "fd00:244::6 . fd00:244::6": "",
    });
    expect(elements(ruleset, "host_ip_ports")).toEqual({ "fd01::2 . tcp . 81": "fd00:244::5 . 8080" });
  });

  test("names in nft have no colons, and affinity is the family's", () => {
    const services = [dual({ sessionAffinity: "ClientIP" })];
    const ruleset = rules({ services, endpointSlices: [slice6("fd00:244::5")] }, context);
    const name = "fd00_244__5-8080/service/shop/web/tcp-80";
    expect(ruleset.chains.get(`endpoint/${name}`)).toEqual([
      `update @clients/${name} { ip6 saddr } meta l4proto tcp dnat ip6 to [fd00:244::5]:8080`,
    ]);
    expect(ruleset.sets.get(`clients/${name}`)).toContain("type ipv6_addr;");
  });

  test("a Service of IPv4 alone is none", () => {
    const ruleset = rules({ services: [service({ type: "NodePort" })], endpointSlices: [slice(two)] }, context);
    expect([...ruleset.elements.keys()].filter((set) => set !== "hairpins")).toEqual([]);
  });

  test("pods speak with each other as they are, and with others as their node", () => {
    const nodes = [{ spec: { podCIDRs: ["10.244.1.0/24", "fd00:244:0:1::/64"] } }];
    expect(rules({ nodes }, context).chains.get("leaving")).toEqual([
      "ip6 daddr fd00:244:0:1::/64 return",
      "ip6 daddr fd00:244::/64 return",
      "masquerade fully-random",
    ]);
  });
});

describe("a Service", () => {
  test("leads its address to a chain that chooses among ready endpoints by chance", () => {
    const ruleset = rules({ services: [service()], endpointSlices: [slice(two)] });
    expect(elements(ruleset, "cluster_ips")).toEqual({ "10.96.0.7 . tcp . 80": "goto service/shop/web/tcp-80" });
    expect(ruleset.chains.get("service/shop/web/tcp-80")).toEqual([balanced]);
  });

  test("without endpoints is refused on every address and port it has", () => {
    const spec = { type: "NodePort", externalIPs: ["192.0.2.7"] };
    const ruleset = rules({ services: [service(spec)], endpointSlices: [] });
    expect(Object.keys(elements(ruleset, "no_endpoints"))).toEqual(["10.96.0.7 . tcp . 80", "192.0.2.7 . tcp . 80"]);
    expect(Object.keys(elements(ruleset, "no_endpoint_ports"))).toEqual(["tcp . 30080"]);
    expect(elements(ruleset, "cluster_ips")).toEqual({});
  });

  test("that may sleep is led to the agent while no endpoint is ready, by every way, as far as the agent listens", () => {
    const held = new Map([["shop/web/tcp-80", { address: "10.244.0.1", port: 4000 }]]);
    const external = {
      type: "LoadBalancer",
      externalIPs: ["192.0.2.7"],
      loadBalancerSourceRanges: ["198.51.100.0/24"],
    };
    const lb = { ...service(external), status: { loadBalancer: { ingress: [{ ip: "192.0.2.8" }] } } };
    const ending = endpoint("10.244.0.9", "here", { ready: false, serving: true, terminating: true });
    const asleep = rules({ services: [lb], endpointSlices: [slice([ending])] }, { held });
    expect(asleep.chains.get("held/shop/web/tcp-80")).toEqual([
      "meta mark set meta mark | 0x40000 meta l4proto tcp dnat ip to 10.244.0.1:4000",
    ]);
    expect(elements(asleep, "cluster_ips")).toEqual({ "10.96.0.7 . tcp . 80": "goto held/shop/web/tcp-80" });
    expect(elements(asleep, "node_ports")).toEqual({ "tcp . 30080": "goto held/shop/web/tcp-80" });
    expect(elements(asleep, "external_ips")).toEqual({
      "192.0.2.7 . tcp . 80": "goto held/shop/web/tcp-80",
      "192.0.2.8 . tcp . 80": "goto guarded/shop/web/tcp-80",
    });
    expect(elements(asleep, "no_endpoints")).toEqual({});
    const memo = new Map();
    const state = { services: [lb], endpointSlices: [], nodes: [], pods: [] };
    expect(elements(rulesFor(state, context, memo), "no_endpoints")).not.toEqual({});
    expect(elements(rulesFor(state, { ...context, held }, memo), "no_endpoints")).toEqual({});
    const awake = rules({ services: [lb], endpointSlices: [slice([...two, ending])] }, { held });
    expect(awake.chains.get("service/shop/web/tcp-80")).toEqual([balanced]);
    expect(awake.chains.has("held/shop/web/tcp-80")).toBe(false);
  });

  test("uses serving endpoints that terminate only while none is ready", () => {
    const draining = endpoint("10.244.0.9", "here", { ready: false, serving: true, terminating: true });
    const chain = (endpoints: Endpoint[]) =>
      rules({ services: [service()], endpointSlices: [slice(endpoints)] }).chains.get("service/shop/web/tcp-80");
    expect(chain([...two, draining])).toEqual([balanced]);
    expect(chain([draining])?.[0]).toContain("10.244.0.9");
    expect(chain([endpoint("10.244.0.9", "here", { ready: false })])).toBeUndefined();
  });

  test("that is headless or an alias makes no rule", () => {
    for (const spec of [{ clusterIP: "None" }, { type: "ExternalName", externalName: "example.com" }])
      expect(
        rules({ services: [service(spec)], endpointSlices: [slice(two)] }).chains.has("service/shop/web/tcp-80"),
      ).toBe(false);
  });

  test("with internalTrafficPolicy Local uses only this node's endpoints, and drops when there is none", () => {
    const spec = { internalTrafficPolicy: "Local" };
    const inside = (endpoints: Endpoint[]) =>
      rules({ services: [service(spec)], endpointSlices: [slice(endpoints)] }).chains.get("internal/shop/web/tcp-80");
    expect(inside(two)).toEqual([onlyLocal]);
    expect(inside(two.slice(1))).toEqual(["drop"]);
  });

  test("with a name or address that nft could misread is left out", () => {
    const evil = service({ externalIPs: ["1.2.3.4 }; flush ruleset"] }, "a; flush ruleset");
    const ruleset = rules({
      services: [evil, service({ clusterIP: "10.0.0.1 }" }, "b")],
      endpointSlices: [slice(two)],
    });
    expect([...ruleset.chains.keys()]).toEqual(["leaving"]);
  });
});

describe("from outside", () => {
  test("the source is replaced, but not that of this node's pods", () => {
    const ruleset = rules({ services: [service({ type: "NodePort" })], endpointSlices: [slice(two)] });
    expect(elements(ruleset, "node_ports")).toEqual({ "tcp . 30080": "goto external/shop/web/tcp-80" });
    expect(ruleset.chains.get("external/shop/web/tcp-80")).toEqual([
      "ip saddr 10.244.0.0/24 goto service/shop/web/tcp-80",
      "meta mark set meta mark | 0x20000",
      "goto service/shop/web/tcp-80",
    ]);
  });

  test("of two Services with one address and port the later has it, and the table is whole", () => {
    const both = ["a", "b"].map((name) => service({ type: "ClusterIP", externalIPs: ["192.0.2.7"] }, name));
    const endpointSlices = ["a", "b"].map((name) => ({
      ...slice(two),
      metadata: { namespace: "shop", name, labels: { "kubernetes.io/service-name": name } },
    }));
    const ruleset = rules({ services: both, endpointSlices });
    expect(elements(ruleset, "external_ips")).toEqual({ "192.0.2.7 . tcp . 80": "goto external/shop/b/tcp-80" });
    expect(ruleset.chains.has("external/shop/b/tcp-80")).toBe(true);
  });

  test("externalTrafficPolicy Local keeps it and stays on this node", () => {
    const spec = { type: "NodePort", externalTrafficPolicy: "Local" };
    const ruleset = rules({ services: [service(spec)], endpointSlices: [slice(two)] });
    expect(ruleset.chains.get("external/shop/web/tcp-80")?.at(-1)).toBe("goto local/shop/web/tcp-80");
    expect(ruleset.chains.get("local/shop/web/tcp-80")).toEqual([onlyLocal]);
  });

  test("a load balancer's addresses obey loadBalancerSourceRanges, external IPs do not", () => {
    const one = service({
      type: "LoadBalancer",
      loadBalancerSourceRanges: ["198.51.100.0/24", "no"],
      externalIPs: ["192.0.2.7"],
    });
    one.status = { loadBalancer: { ingress: [{ ip: "192.0.2.8" }, { ip: "192.0.2.9", ipMode: "Proxy" }] } };
    const ruleset = rules({ services: [one], endpointSlices: [slice(two)] });
    expect(elements(ruleset, "external_ips")).toEqual({
      "192.0.2.7 . tcp . 80": "goto external/shop/web/tcp-80",
      "192.0.2.8 . tcp . 80": "goto guarded/shop/web/tcp-80",
    });
    expect(ruleset.chains.get("guarded/shop/web/tcp-80")).toEqual([
      "ip saddr 198.51.100.0/24 goto external/shop/web/tcp-80",
      "drop",
    ]);
  });
});

describe("ClientIP affinity", () => {
  test("remembers each endpoint's clients in a set of its own", () => {
    const spec = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } };
    const ruleset = rules({ services: [service(spec)], endpointSlices: [slice(two)] });
    const a = "10.244.0.5-8080/service/shop/web/tcp-80";
    const b = "10.244.1.5-8080/service/shop/web/tcp-80";
    expect(ruleset.sets.get(`clients/${a}`)).toBe("type ipv4_addr; flags dynamic,timeout; timeout 60s;");
    expect(ruleset.chains.get("service/shop/web/tcp-80")).toEqual([
      `ip saddr @clients/${a} goto endpoint/${a}`,
      `ip saddr @clients/${b} goto endpoint/${b}`,
      `numgen random mod 2 vmap { 0 : goto endpoint/${a}, 1 : goto endpoint/${b} }`,
    ]);
    expect(ruleset.chains.get(`endpoint/${a}`)).toEqual([
      `update @clients/${a} { ip saddr } meta l4proto tcp dnat ip to 10.244.0.5:8080`,
    ]);
  });
});

describe("pods", () => {
  const pod = (more: object, phase = "Running") => ({
    spec: { containers: [{ ports: [{ containerPort: 80, hostPort: 8080, ...more }] }] },
    status: { podIP: "10.244.0.5", phase },
  });

  test("have their host ports until they are over, on all addresses or on one", () => {
    expect(elements(rules({ pods: [pod({})] }), "host_ports")).toEqual({ "tcp . 8080": "10.244.0.5 . 80" });
    expect(elements(rules({ pods: [pod({ hostIP: "192.0.2.1", protocol: "UDP" })] }), "host_ip_ports")).toEqual({
      "192.0.2.1 . udp . 8080": "10.244.0.5 . 80",
    });
    expect(elements(rules({ pods: [pod({}, "Succeeded")] }), "host_ports")).toEqual({});
  });

  test("keep their address towards other nodes' pods only", () => {
    const nodes = [{ metadata: { name: "there" }, spec: { podCIDR: "10.244.1.0/24" } }];
    expect(rules({ nodes }).chains.get("leaving")).toEqual([
      "ip daddr 10.244.0.0/24 return",
      "ip daddr 10.244.1.0/24 return",
      "masquerade fully-random",
    ]);
  });
});

test.each(["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"])(
  "a Service with the label %s is another proxy's",
  (label) => {
    const { metadata, spec } = service();
    const labelled = { spec, metadata: { ...metadata, labels: { [label]: "" } } };
    const { chains, elements: found } = rules({ services: [labelled], endpointSlices: [slice(two)] });
    expect([...chains.keys()].filter((name) => name.includes("shop/web"))).toEqual([]);
    expect(["cluster_ips", "node_ports", "no_endpoints"].flatMap((set) => [...(found.get(set) ?? [])])).toEqual([]);
  },
);

test("what the agent serves itself goes before a Service of the same address", () => {
  const own = [{ address: "10.96.0.7", protocol: "tcp", port: 80, to: { address: "10.244.0.1", port: 443 } }];
  for (const endpointSlices of [[slice(two)], []]) {
    const ruleset = rules({ services: [service()], endpointSlices }, { own });
    expect(elements(ruleset, "cluster_ips")).toEqual({ "10.96.0.7 . tcp . 80": "goto own/tcp-10.96.0.7-80" });
    expect(elements(ruleset, "no_endpoints")).toEqual({});
  }
});

test("UDP endpoints that left are named, so that their connections can be forgotten", () => {
  const udp = service({ ports: [{ name: "http", protocol: "UDP", port: 80 }] });
  const at = (endpoints: Endpoint[]) => rules({ services: [udp], endpointSlices: [slice(endpoints, "UDP")] });
  expect(staleUdpFlows(at(two), at(two.slice(1)))).toEqual([
    ["--dst-nat", "--reply-src", "10.244.0.5", "--reply-port-src", "8080"],
  ]);
  expect(staleUdpFlows(at(two.slice(1)), at(two))).toEqual([]);
});

test("what was remembered of a Service is used while it and its endpoints are the same, and not longer", () => {
  const memo = new Map();
  const state = { services: [service()], endpointSlices: [slice(two)], nodes: [], pods: [] };
  const chain = (next: NetworkState) => rulesFor(next, context, memo).chains.get("service/shop/web/tcp-80");
  const first = chain(state);
  expect(chain({ ...state })).toBe(first);
  expect(chain({ ...state, endpointSlices: [slice(two.slice(0, 1))] })).toEqual([onlyLocal]);
  expect(chain({ ...state, services: [] })).toBeUndefined();
  expect(memo.size).toBe(0);
});

test("a node that is put into another zone uses that zone's endpoints, whatever was remembered", () => {
  const memo = new Map();
  const meantFor = ([first, second]: Endpoint[]) =>
    [first, second].map((one, i) => ({ ...one, hints: { forZones: [{ name: ["east", "west"][i] ?? "" }] } }));
  const state = { services: [service()], endpointSlices: [slice(meantFor(two))], pods: [] };
  const chain = (zone: string) => {
    const nodes = [{ metadata: { name: "here", labels: { "topology.kubernetes.io/zone": zone } } }];
    return rulesFor({ ...state, nodes }, context, memo).chains.get("service/shop/web/tcp-80");
  };
  expect(chain("east")).toEqual([onlyLocal]);
  expect(chain("west")).toEqual([onlyLocal.replace("10.244.0.5", "10.244.1.5")]);
  expect(chain("north")).toEqual([balanced]);
});
