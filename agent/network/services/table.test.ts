import { expect, test } from "vitest";
import type { Ruleset } from "./ruleset.ts";
import { staleUdpFlows, waitedFor } from "./table.ts";

const ruleset = (chains: Record<string, string>, elements: Record<string, Record<string, string>>): Ruleset => ({
  chains: new Map(Object.entries(chains).map(([name, rule]) => [name, [rule]])),
  sets: new Map(),
  elements: new Map(Object.entries(elements).map(([name, items]) => [name, new Map(Object.entries(items))])),
});

const to = (...targets: string[]) =>
  `meta l4proto udp dnat ip to numgen random mod 2 map { ${targets.map((target, i) => `${i} : ${target}`).join(", ")} }`;

test("flows to endpoints that are gone are forgotten, of Services and of host ports", () => {
  const old = ruleset({ a: to("10.0.0.1 . 53", "10.0.0.2 . 53") }, { host_ports: { "udp . 53": "10.0.0.3 . 53" } });
  const next = ruleset({ a: to("10.0.0.2 . 53") }, { host_ports: { "udp . 53": "10.0.0.4 . 53" } });
  expect(staleUdpFlows(old, next)).toEqual([
    ["--dst-nat", "--reply-src", "10.0.0.1", "--reply-port-src", "53"],
    ["--dst-nat", "--reply-src", "10.0.0.3", "--reply-port-src", "53"],
  ]);
});

test("of IPv6 too", () => {
  const old = ruleset({ a: to("fd00::1 . 53"), b: "meta l4proto udp dnat ip6 to [fd00::2]:53" }, {});
  const flows = staleUdpFlows(old, ruleset({}, {}));
  expect(flows.map((flow) => flow[2])).toEqual(["fd00::1", "fd00::2"]);
});

test("flows that began before their port was served are forgotten, but those of TCP, which begin anew", () => {
  const old = ruleset({}, { node_ports: { "udp . 30001": "goto a" } });
  const next = ruleset(
    {},
    {
      node_ports: { "udp . 30001": "goto a", "udp . 30002": "goto b", "tcp . 30002": "goto c" },
      external_ips: { "192.0.2.7 . udp . 53": "goto a" },
      cluster_ips: { "10.96.0.7 . udp . 53": "goto a" },
    },
  );
  expect(staleUdpFlows(old, next)).toEqual([
    ["--orig-port-dst", "30002"],
    ["--orig-dst", "192.0.2.7", "--orig-port-dst", "53"],
  ]);
});

test("SYNs that nothing answered are known by where they were led to", () => {
  const printed = `tcp      6 102 SYN_SENT src=10.0.0.9 dst=10.96.0.7 sport=40000 dport=80 [UNREPLIED] src=10.0.0.1 dst=10.0.0.9 sport=8080 dport=40000 mark=0 use=1
tcp      6 99 SYN_SENT src=fd00::9 dst=fd00:96::7 sport=40002 dport=80 [UNREPLIED] src=fd00::1 dst=fd00::9 sport=8080 dport=40002 mark=0 use=1
tcp      6 431999 ESTABLISHED src=10.0.0.9 dst=10.96.0.7 sport=40004 dport=80 src=10.0.0.2 dst=10.0.0.9 sport=8080 dport=40004 [ASSURED] mark=0 use=1
`;
  expect([...waitedFor(printed)]).toEqual(["10.0.0.1 . 8080", "fd00::1 . 8080"]);
});
