import { describe, expect, test } from "vitest";
import type { PolicyPeers, PolicyRule, PolicyRules } from "../../../worker/protocol/policies.ts";
import { type Family, IPV4, IPV6 } from "../family.ts";
import { EMPTY, type Ruleset, renderDiff } from "../services/ruleset.ts";
import type { Pod } from "../types.ts";
import { PeerSets, setName } from "./peers.ts";
import { type Guarded, policyRuleset } from "./rules.ts";

const pod = (address: string, labels: Record<string, string>, ports: Record<string, number> = {}): Guarded => ({
  address,
  pod: {
    metadata: { namespace: "a", name: address, labels },
    spec: { containers: [{ ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })) }] },
  } satisfies Pod,
});
const web = pod("10.0.0.2", { app: "web" }, { http: 8080 });
const other = pod("10.0.0.3", { app: "other" });

type Given = { peers?: Record<string, string[]>; pods?: readonly Guarded[]; family?: Family };

const made = (rules: Record<string, PolicyRules>, { peers = {}, pods = [web, other], family = IPV4 }: Given = {}) =>
  policyRuleset({
    rules: new Map(Object.entries(rules)),
    peers: new Map(Object.entries(peers).map(([key, members]): [string, PolicyPeers] => [key, { members }])),
    pods,
    podCIDRs: ["10.0.0.0/24", "10.0.1.0/24", "fd00::/64"],
    family,
    own: [
      { address: "10.96.0.10", protocol: "UDP", port: 53, isPod: true },
      { address: "10.96.0.1", protocol: "TCP", port: 443, isPod: false },
    ],
  });

const onlyWeb = { podSelector: { matchLabels: { app: "web" } } };
const ingress = (...rules: PolicyRule[]) => ({ "a/p": { ...onlyWeb, ingress: rules } });
const egress = (...rules: PolicyRule[]) => ({ "a/p": { ...onlyWeb, egress: rules } });
const elements = (ruleset: Ruleset, set: string) =>
  [...(ruleset.elements.get(set) ?? [])].map((item) => item.join(" "));

describe("isolation", () => {
  test("there is nothing while no pod of the node is selected", () => {
    expect(made({})).toBe(EMPTY);
    expect(made({ "a/p": { podSelector: { matchLabels: { app: "none" } }, ingress: [] } })).toBe(EMPTY);
    expect(made({ "b/p": { podSelector: {}, ingress: [] } })).toBe(EMPTY);
  });

  test("of a selected pod alone, in the policy's direction alone", () => {
    const ruleset = made(ingress());
    expect(elements(ruleset, "ingress")).toEqual(["10.0.0.2 goto pod-ingress/10.0.0.2"]);
    expect(elements(ruleset, "egress")).toEqual([]);
    expect(ruleset.chains.get("pod-ingress/10.0.0.2")).toEqual(["jump ingress/a/p", "drop"]);
    expect(ruleset.chains.get("ingress/a/p")).toEqual([]);
  });

  test("a pod reaches itself", () => {
    expect(elements(made(ingress()), "itself")).toEqual(["10.0.0.2 . 10.0.0.2 "]);
  });

  test("several policies are asked one after the other", () => {
    const ruleset = made({ ...ingress(), "a/q": { podSelector: {}, ingress: [{}], egress: [] } });
    expect(ruleset.chains.get("pod-ingress/10.0.0.2")).toEqual(["jump ingress/a/p", "jump ingress/a/q", "drop"]);
    expect(ruleset.chains.get("pod-egress/10.0.0.2")).toEqual(["jump egress/a/q", "drop"]);
    expect(ruleset.chains.get("pod-ingress/10.0.0.3")).toEqual(["jump ingress/a/q", "drop"]);
    expect(ruleset.chains.get("ingress/a/q")).toEqual(["accept"]);
  });

  test("who is no pod that anybody knows reaches nobody, where there are policies", () => {
    const unknown = { address: "10.0.0.9", pod: undefined };
    expect(made({}, { pods: [unknown] })).toBe(EMPTY);
    const ruleset = made(ingress(), { pods: [web, unknown] });
    expect(ruleset.chains.get("pod-egress/10.0.0.9")).toEqual(["drop"]);
    expect(ruleset.chains.get("pod-ingress/10.0.0.9")).toEqual(["drop"]);
  });

  test("a policy whose name is too long for nft has a shorter one", () => {
    const key = `a/${"x".repeat(253)}`;
    const chains = [...made({ [key]: { ...onlyWeb, ingress: [] } }).chains.keys()];
    expect(chains.every((name) => name.length < 128)).toBe(true);
  });
});

describe("rules", () => {
  const lines = (rule: PolicyRule, peers: Record<string, string[]> = {}) =>
    made(ingress(rule), { peers }).chains.get("ingress/a/p");

  test("that say nothing let everyone in", () => {
    expect(lines({})).toEqual(["accept"]);
  });

  test("name ports by protocol, as few as say it", () => {
    const ports = [
      { protocol: "TCP", from: 80, to: 80 },
      { protocol: "TCP", from: 100, to: 200 },
      { protocol: "TCP", from: 150, to: 300 },
      { protocol: "TCP", from: 301, to: 301 },
      { protocol: "UDP" },
      { protocol: "UDP", from: 53, to: 53 },
      { protocol: "SCTP", from: 7, to: 7 },
    ];
    expect(lines({ ports })).toEqual([
      "meta l4proto tcp th dport { 80, 100-301 } accept",
      "meta l4proto udp accept",
      "meta l4proto sctp th dport { 7 } accept",
    ]);
  });

  test("name peers, each with each port", () => {
    const peers = [
      { kind: "pods" as const, set: "a {}" },
      { kind: "everyPod" as const },
      { kind: "block" as const, cidr: "10.0.0.7/8", except: ["10.1.0.0/16", "10.1.2.0/24"] },
    ];
    const ruleset = made(ingress({ peers, ports: [{ protocol: "TCP", from: 80, to: 80 }] }), {
      peers: { "n1/a {}": ["10.0.0.3"], "n2/a {}": ["10.0.1.3"] },
    });
    const set = setName("a {}");
    expect(ruleset.chains.get("ingress/a/p")).toEqual([
      `ip saddr @${set} meta l4proto tcp th dport { 80 } accept`,
      "ip saddr @every_pod meta l4proto tcp th dport { 80 } accept",
      "ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.1.2.0/24 meta l4proto tcp th dport { 80 } accept",
    ]);
    expect(elements(ruleset, set)).toEqual(["10.0.0.3 ", "10.0.1.3 "]);
    expect(elements(ruleset, "every_pod")).toEqual(["10.0.0.0/24 ", "10.0.1.0/24 "]);
  });

  test("of all addresses, of none, and of what is no address here", () => {
    const block = (cidr: string, ...except: string[]) => lines({ peers: [{ kind: "block", cidr, except }] });
    expect(block("0.0.0.0/0")).toEqual(["accept"]);
    expect(block("0.0.0.0/0", "10.0.0.0/8")).toEqual(["ip saddr != 10.0.0.0/8 accept"]);
    expect(block("10.0.0.0/8", "0.0.0.0/0")).toEqual([]);
    expect(block("2001:db8::/32")).toEqual([]);
    expect(block("10.0.0.0/8; flush ruleset")).toEqual([]);
  });

  test("by a port's name mean the pod's own number", () => {
    const ruleset = made(ingress({ ports: [{ protocol: "TCP", name: "http" }] }));
    const [line = ""] = ruleset.chains.get("ingress/a/p") ?? [];
    const set = /@(\S+)/.exec(line)?.[1] ?? "";
    expect(line).toBe(`ip daddr . meta l4proto . th dport @${set} accept`);
    expect(elements(ruleset, set)).toEqual(["10.0.0.2 . tcp . 8080 "]);
  });

  test("to places have sets of them", () => {
    const ruleset = made(egress({ peers: [{ kind: "places", set: "{} {} TCP http" }] }), {
      peers: { "n2/{} {} TCP http": ["10.0.1.2 TCP 80", "10.0.1.3 TCP 81; drop", "x TCP 1"] },
    });
    const set = setName("{} {} TCP http");
    expect(ruleset.chains.get("egress/a/p")).toEqual([`ip daddr . meta l4proto . th dport @${set} accept`]);
    expect(elements(ruleset, set)).toEqual(["10.0.1.2 . tcp . 80 "]);
  });
});

describe("what the node answers itself", () => {
  const may = (rule: PolicyRule, peers: Record<string, string[]> = {}) => {
    const ruleset = made(egress(rule), { peers });
    return [0, 1].map((i) => elements(ruleset, `own-${i}`).length > 0);
  };

  test("is reached by its service's address and port", () => {
    expect(made(egress({})).chains.get("own")).toEqual([
      "ct original ip daddr 10.96.0.10 meta l4proto udp ct original proto-dst 53 ip saddr @own-0 accept",
      "ct original ip daddr 10.96.0.1 meta l4proto tcp ct original proto-dst 443 ip saddr @own-1 accept",
    ]);
  });

  test("is reached by who may go there", () => {
    expect(may({})).toEqual([true, true]);
    expect(may({ ports: [{ protocol: "UDP", from: 53, to: 53 }] })).toEqual([true, false]);
    expect(may({ ports: [{ protocol: "TCP", from: 53, to: 53 }] })).toEqual([false, false]);
    expect(may({ ports: [{ protocol: "TCP" }] })).toEqual([false, true]);
    expect(may({ peers: [{ kind: "everyPod" }] })).toEqual([true, false]);
    expect(may({ peers: [{ kind: "block", cidr: "10.96.0.1/32", except: [] }] })).toEqual([false, true]);
    expect(may({ peers: [{ kind: "block", cidr: "10.96.0.0/16", except: ["10.96.0.10/32"] }] })).toEqual([false, true]);
    const dns = { kind: "pods" as const, set: "dns" };
    expect(may({ peers: [dns] }, { "/dns": ["10.96.0.10"] })).toEqual([true, false]);
    expect(may({ peers: [dns], ports: [{ protocol: "TCP" }] }, { "/dns": ["10.96.0.10"] })).toEqual([false, false]);
    expect(may({ peers: [{ kind: "places", set: "p" }] }, { "/p": ["10.96.0.10 UDP 53"] })).toEqual([true, false]);
  });
});

test("a member more is one element, and sets that did not change are not looked at", () => {
  const rules = new Map(
    Object.entries(
      ingress({
        peers: [
          { kind: "pods", set: "s" },
          { kind: "pods", set: "t" },
        ],
      }),
    ),
  );
  const sets = new PeerSets(IPV4);
  const peers = new Map<string, PolicyPeers>([
    ["n1/s", { members: ["10.0.0.3"] }],
    ["n1/t", { members: ["10.0.0.4"] }],
  ]);
  const input = { rules, peers, pods: [web], podCIDRs: [], own: [], family: IPV4 };
  const before = policyRuleset(input, sets);
  peers.set("n2/s", { members: ["10.0.1.3"] });
  const after = policyRuleset(input, sets);
  expect(renderDiff("ip t", before, after)).toBe(`add element ip t ${setName("s")} { 10.0.1.3 }\n`);
  expect(after.elements.get(setName("t"))).toBe(before.elements.get(setName("t")));
});

describe("in IPv6", () => {
  const web6 = { ...web, address: "fd00::2" };
  const pods = [web, web6, other];
  const given = { family: IPV6, pods };

  test("a pod's other address is isolated by the same policies", () => {
    const ruleset = made(ingress(), given);
    expect(elements(ruleset, "ingress")).toEqual(["fd00::2 goto pod-ingress/fd00__2"]);
    expect(ruleset.chains.get("pod-ingress/fd00__2")).toEqual(["jump ingress/a/p", "drop"]);
    expect(elements(made(ingress(), { pods }), "ingress")).toEqual(["10.0.0.2 goto pod-ingress/10.0.0.2"]);
  });

  test("blocks, sets and named ports are those of the family", () => {
    const peers: PolicyRule["peers"] = [
      { kind: "block", cidr: "10.0.0.0/8", except: [] },
      { kind: "block", cidr: "2001:db8::1/32", except: ["2001:db8:1::/48", "10.1.0.0/16"] },
      { kind: "block", cidr: "::/0", except: ["fd00::/8"] },
      { kind: "everyPod" },
      { kind: "pods", set: "s" },
    ];
    const ports: PolicyRule["ports"] = [{ protocol: "TCP", name: "http" }];
    const ruleset = made(ingress({ peers, ports }), {
      ...given,
      peers: { "n/s": ["10.0.0.9", "fd00::9", "FD00:0::9"] },
    });
    const named = [...ruleset.sets.keys()].find((name) => name.startsWith("ports-")) ?? "";
    const to = `ip6 daddr . meta l4proto . th dport @${named} accept`;
    expect(ruleset.chains.get("ingress/a/p")).toEqual([
      `ip6 saddr 2001:db8::/32 ip6 saddr != 2001:db8:1::/48 ${to}`,
      `ip6 saddr != fd00::/8 ${to}`,
      `ip6 saddr @every_pod ${to}`,
      `ip6 saddr @${setName("s")} ${to}`,
    ]);
    expect(elements(ruleset, setName("s"))).toEqual(["fd00::9 "]);
    expect(elements(ruleset, "every_pod")).toEqual(["fd00::/64 "]);
    expect(elements(ruleset, named)).toEqual(["fd00::2 . tcp . 8080 "]);
  });
});
