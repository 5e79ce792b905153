import { expect, test } from "vitest";
import type { Pod } from "../types.ts";
import { parseResolvConf, podResolver, renderResolvConf } from "./resolv-conf.ts";

const node = { servers: ["192.0.2.53"], searches: ["lan"], options: ["edns0"] };
const context = { dnsAddress: "10.96.0.10", clusterDomain: "cluster.local", node };
const resolver = (spec: Pod["spec"]) => podResolver({ metadata: { namespace: "shop" }, spec }, context);
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
    searches: [...cluster.searches, "example.com"],
    options: ["ndots:2", "edns0"],
  });
});

test("no more servers and searches than libc reads", () => {
  const nameservers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  const searches = Array.from({ length: 40 }, (_, i) => `d${i}.example`);
  const made = resolver({ dnsPolicy: "None", dnsConfig: { nameservers, searches } });
  expect(made.servers).toEqual(nameservers.slice(0, 3));
  expect(made.searches).toEqual(searches.slice(0, 32));
});

test("resolv.conf is read and written", () => {
  const text = "# mine\nsearch a.example b.example.\nnameserver 192.0.2.53 ; first\noptions ndots:2 edns0\n";
  const config = { servers: ["192.0.2.53"], searches: ["a.example", "b.example"], options: ["ndots:2", "edns0"] };
  expect(parseResolvConf(text)).toEqual(config);
  expect(parseResolvConf(renderResolvConf(config))).toEqual(config);
  expect(renderResolvConf(config)).toBe("search a.example b.example\nnameserver 192.0.2.53\noptions ndots:2 edns0\n");
});
