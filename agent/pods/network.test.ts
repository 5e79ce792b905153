import { expect, test } from "vitest";
import { hostnameOf, printHosts } from "./network.ts";
import { somePod } from "./testing.ts";

const DOMAIN = "cluster.local";
const named = (spec: object, name = "web") => hostnameOf(somePod(spec, { name }), "node-1", DOMAIN);

test.each([
  ["web", {}],
  ["own", { hostname: "own" }],
  ["over.ride", { hostname: "own", hostnameOverride: "over.ride", subdomain: "sub" }],
  ["own", { hostname: "own", subdomain: "sub" }],
  ["own.sub.default.svc.cluster.local", { hostname: "own", subdomain: "sub", setHostnameAsFQDN: true }],
  ["web", { setHostnameAsFQDN: true }],
  ["node-1", { hostname: "own", hostNetwork: true }],
])("a pod finds itself as %s by %j", (name, spec) => {
  expect(named(spec)).toBe(name);
});

test("a name has at most 63 characters and no mark at its end", () => {
  expect(named({}, "a".repeat(70))).toBe("a".repeat(63));
  expect(named({}, `${"a".repeat(60)}-.-bc`)).toBe("a".repeat(60));
});

test("a full name that the kernel cannot keep is refused", () => {
  const full = `${"a".repeat(40)}.sub.default.svc.cluster.local`;
  expect(() => named({ subdomain: "sub", setHostnameAsFQDN: true }, "a".repeat(40))).toThrow(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (64 characters is the max, 70 characters requested)`,
  );
});

test("/etc/hosts tells of the pod, its full name and its aliases", () => {
  const hostAliases = [{ ip: "192.0.2.9", hostnames: ["a.example", "b.example"] }, { ip: "192.0.2.10" }];
  const print = (spec: object) =>
    printHosts(somePod(spec), ["10.0.0.2", "fd00::2"], DOMAIN, "127.0.0.1\tlocalhost\n").split("\n");
  expect(print({}).slice(0, 2)).toEqual(["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost"]);
  expect(print({}).slice(-3)).toEqual(["10.0.0.2\tweb", "fd00::2\tweb", ""]);
  const aliases = ["", "# Entries added by HostAliases.", "192.0.2.9\ta.example\tb.example", "192.0.2.10\t", ""];
  expect(print({ hostname: "own", subdomain: "sub", hostAliases }).slice(-7)).toEqual([
    "10.0.0.2\town.sub.default.svc.cluster.local\town",
    "fd00::2\town.sub.default.svc.cluster.local\town",
    ...aliases,
  ]);
  expect(print({ hostNetwork: true, hostAliases })).toEqual([
    "# Kubernetes-managed hosts file (host network).",
    "127.0.0.1\tlocalhost",
    ...aliases,
  ]);
});
