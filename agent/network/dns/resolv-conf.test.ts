import { expect, test } from "vitest";
import type { Pod } from "../types.ts";
import { parseResolvConf, podResolver, renderResolvConf } from "./resolv-conf.ts";

const node = { servers: ["192.0.2.53"], searches: ["lan"], options: ["edns0"] };
const context = { dnsAddress: "10.96.0.10", clusterDomain: "cluster.local", node };
const resolver = (spec: Pod["spec"], warn?: (message: string) => void) =>
  podResolver({ metadata: { namespace: "shop" }, spec }, context, warn);
const cluster = {
  servers: ["10.96.0.10"],
  searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan"],
  options: ["ndots:5"],
};
const empty = { servers: [], searches: [], options: [] };

test.each([
  ["nothing said", {}, cluster],
  ["ClusterFirst", { dnsPolicy: "ClusterFirst" }, cluster],
  ["ClusterFirst with the host's network", { dnsPolicy: "ClusterFirst", hostNetwork: true }, node],
  ["ClusterFirstWithHostNet", { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, cluster],
  ["Default", { dnsPolicy: "Default" }, node],
  ["None", { dnsPolicy: "None" }, empty],
])("%s", (_, spec, expected) => {
  expect(resolver(spec)).toEqual(expected);
});

test("dnsConfig adds servers and searches once, and overrides options", () => {
  const dnsConfig = {
    nameservers: ["10.96.0.10", "192.0.2.1"],
    searches: ["cluster.local", "example.com."],
    options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
  };
  expect(resolver({ dnsConfig })).toEqual({
    servers: ["10.96.0.10", "192.0.2.1"],
    searches: [...cluster.searches, "example.com."],
    options: ["ndots:2", "edns0"],
  });
});

test("what is more than libc takes is left out and told", () => {
  const nameservers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  const searches = Array.from({ length: 40 }, (_, i) => `d${i}.example`);
  const warnings: string[] = [];
  const limited = (dnsConfig: object) =>
    resolver({ dnsPolicy: "None", dnsConfig }, (message) => warnings.push(message));
  const made = limited({ nameservers, searches });
  expect(made.servers).toEqual(nameservers.slice(0, 3));
  expect(made.searches).toEqual(searches.slice(0, 32));
  expect(warnings.splice(0)).toEqual([
    "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.1 192.0.2.2 192.0.2.3",
    `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.slice(0, 32).join(" ")}`,
  ]);
  const long = (length: number, end: string) => `${"a.".repeat((length - end.length) / 2)}${end}`;
  expect(limited({ searches: [long(254, "bb"), "c.example"] }).searches).toEqual(["c.example"]);
  const lines = Array.from({ length: 10 }, (_, i) => long(251, `${i}`));
  expect(limited({ searches: lines }).searches).toEqual(lines.slice(0, 8));
  expect(warnings).toHaveLength(2);
  expect(limited({ nameservers: nameservers.slice(1), searches: searches.slice(8) }).searches).toHaveLength(32);
  expect(warnings).toHaveLength(2);
});

test("resolv.conf is read and written", () => {
  const text = "# mine\nsearch a.example b.example.\nnameserver 192.0.2.53 ; first\noptions ndots:2 edns0\n";
  const config = { servers: ["192.0.2.53"], searches: ["a.example", "b.example"], options: ["ndots:2", "edns0"] };
  expect(parseResolvConf(text)).toEqual(config);
  expect(parseResolvConf(renderResolvConf(config))).toEqual(config);
  expect(renderResolvConf(config)).toBe("search a.example b.example\nnameserver 192.0.2.53\noptions ndots:2 edns0\n");
});
