import { describe, expect, test } from "vitest";
import type { NetworkPolicy } from "../../kinds/networking/network-policy.ts";
import { compile } from "./compile.ts";
import { factsOf, membersOf } from "./facts.ts";

type Spec = NonNullable<NetworkPolicy["spec"]>;

const rules = (spec: Partial<Spec>) =>
  compile({ metadata: { namespace: "a", name: "p" }, spec: { podSelector: {}, ...spec } }).rules;
const ingress = (rule: NonNullable<Spec["ingress"]>[number]) => rules({ ingress: [rule] }).ingress;
const egress = (rule: NonNullable<Spec["egress"]>[number]) => rules({ policyTypes: ["Egress"], egress: [rule] }).egress;
const app = (name: string) => ({ matchLabels: { app: name } });

describe("directions", () => {
  test("are those that the policy names", () => {
    expect(rules({ policyTypes: ["Ingress"] })).toEqual({ podSelector: {}, ingress: [] });
    expect(rules({ policyTypes: ["Egress"] })).toEqual({ podSelector: {}, egress: [] });
    expect(rules({ policyTypes: ["Ingress", "Egress"] })).toEqual({ podSelector: {}, ingress: [], egress: [] });
  });

  test("that it does not name are not isolated, whatever is said of them", () => {
    expect(rules({ policyTypes: ["Egress"], ingress: [{}] })).toEqual({ podSelector: {}, egress: [] });
    expect(rules({ policyTypes: ["Ingress"], egress: [{}] })).toEqual({ podSelector: {}, ingress: [] });
  });

  test("are into the pods where none is named, and out of them where something is said of that", () => {
    expect(rules({})).toEqual({ podSelector: {}, ingress: [] });
    expect(rules({ egress: [{}] })).toEqual({ podSelector: {}, ingress: [], egress: [{}] });
  });
});

describe("peers", () => {
  test("are everyone where none is said", () => {
    expect(ingress({})).toEqual([{}]);
    expect(ingress({ from: [] })).toEqual([{}]);
    expect(egress({ to: [] })).toEqual([{}]);
  });

  test("are pods of the policy's own namespace where no namespace is said", () => {
    expect(ingress({ from: [{ podSelector: app("web") }] })).toEqual([
      { peers: [{ kind: "pods", set: "a {app=web}" }] },
    ]);
    expect(ingress({ from: [{ podSelector: {} }] })).toEqual([{ peers: [{ kind: "pods", set: "a {}" }] }]);
  });

  test("are all pods of namespaces, those among them that are selected too, or every pod", () => {
    const team = { matchLabels: { team: "x" } };
    expect(
      ingress({
        from: [
          { namespaceSelector: team },
          { namespaceSelector: team, podSelector: app("web") },
          { namespaceSelector: {}, podSelector: app("web") },
          { namespaceSelector: {} },
          { namespaceSelector: {}, podSelector: {} },
        ],
      }),
    ).toEqual([
      {
        peers: [
          { kind: "pods", set: "{team=x} {}" },
          { kind: "pods", set: "{team=x} {app=web}" },
          { kind: "pods", set: "{} {app=web}" },
          { kind: "everyPod" },
          { kind: "everyPod" },
        ],
      },
    ]);
  });

  test("are ranges of addresses, less others", () => {
    expect(egress({ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] })).toEqual([
      { peers: [{ kind: "block", cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }] },
    ]);
  });

  test("that are the same are one set, of whichever policy", () => {
    const one = compile({
      metadata: { namespace: "a", name: "p" },
      spec: {
        podSelector: {},
        ingress: [
          { from: [{ podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["b", "a"] }] } }] },
          { from: [{ podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] } }] },
        ],
      },
    });
    expect([...one.sets.keys()]).toEqual(["a {app in (a,b)}"]);
  });
});

describe("ports", () => {
  test("are numbers, ranges, names, or all of a protocol", () => {
    const ports = [
      { port: 80 },
      { port: 8000, endPort: 8080, protocol: "UDP" },
      { port: "http" },
      { protocol: "SCTP" },
    ] as NonNullable<NonNullable<Spec["ingress"]>[number]["ports"]>;
    expect(ingress({ ports })).toEqual([
      {
        ports: [
          { protocol: "TCP", from: 80, to: 80 },
          { protocol: "UDP", from: 8000, to: 8080 },
          { protocol: "TCP", name: "http" },
          { protocol: "SCTP" },
        ],
      },
    ]);
  });

  test("that are gone to by name are places of pods, apart from those that are numbers", () => {
    const ports = [{ port: "http" }, { port: 53, protocol: "UDP" }] as never;
    expect(egress({ ports, to: [{ podSelector: app("web") }, { ipBlock: { cidr: "10.0.0.0/8" } }] })).toEqual([
      {
        ports: [{ protocol: "UDP", from: 53, to: 53 }],
        peers: [
          { kind: "pods", set: "a {app=web}" },
          { kind: "block", cidr: "10.0.0.0/8", except: [] },
        ],
      },
      { peers: [{ kind: "places", set: "a {app=web} TCP http" }] },
    ]);
    expect(egress({ ports: [{ port: "http" }] as never })).toEqual([
      { peers: [{ kind: "places", set: "{} {} TCP http" }] },
    ]);
  });

  test("by a name that no address can have lead nowhere", () => {
    expect(egress({ ports: [{ port: "http" }] as never, to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] })).toEqual([]);
  });
});

test("a set holds the places of selected pods alone, by name and protocol, of containers and sidecars", () => {
  const ports = (name: string, containerPort: number, protocol?: string) => [{ name, containerPort, protocol }];
  const pod = factsOf({
    metadata: { namespace: "a", name: "w", labels: { app: "web" } },
    spec: {
      nodeName: "n",
      containers: [{ ports: ports("http", 8080, "TCP") }, { ports: ports("dns", 53, "UDP") }],
      initContainers: [{ restartPolicy: "Always", ports: ports("metrics", 9090) }, { ports: ports("once", 1) }],
    },
    status: { podIP: "10.0.0.2" },
  } as never);
  const members = (name: string, protocol = "TCP", labels = app("web")) => {
    const { sets } = compile({
      metadata: { namespace: "a", name: "p" },
      spec: {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [{ ports: [{ port: name as never, protocol }], to: [{ podSelector: labels }] }],
      },
    });
    return [...sets.values()].flatMap((set) => membersOf(set, pod));
  };
  expect(members("http")).toEqual(["10.0.0.2 TCP 8080"]);
  expect(members("metrics")).toEqual(["10.0.0.2 TCP 9090"]);
  expect(members("dns", "UDP")).toEqual(["10.0.0.2 UDP 53"]);
  expect(members("dns")).toEqual([]);
  expect(members("once")).toEqual([]);
  expect(members("http", "TCP", app("other"))).toEqual([]);
});
