import { expect, test } from "vitest";
import { identityOf } from "./identity.ts";
import { NodeRoutes, wantedRoutes } from "./routes.ts";
import type { Node } from "./types.ts";

const node = (name: string, podCIDR?: string, address?: string): Node => ({
  metadata: { name },
  spec: { podCIDR },
  status: { addresses: [{ type: "Hostname", address: name }, ...(address ? [{ type: "InternalIP", address }] : [])] },
});

test("routes lead to every other node that has pod addresses and an address", () => {
  const nodes = [
    node("here", "10.244.0.0/24", "192.0.2.1"),
    node("there", "10.244.1.0/24", "192.0.2.2"),
    node("fresh", undefined, "192.0.2.3"),
    node("lost", "10.244.3.0/24"),
  ];
  expect(wantedRoutes(nodes, "here")).toEqual([{ to: "10.244.1.0/24", via: "192.0.2.2" }]);
});

test("in each family by an address of the same, through a tunnel by any", () => {
  const dual = (name: string, ...addresses: string[]): Node => ({
    metadata: { name },
    spec: { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24", "fd00:244:0:1::/64"] },
    status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
  });
  const both = dual("b", "192.0.2.2", "2001:db8::2");
  expect(wantedRoutes([both], "a")).toEqual([
    { to: "10.244.1.0/24", via: "192.0.2.2" },
    { to: "fd00:244:0:1::/64", via: "2001:db8::2" },
  ]);
  const one = dual("b", "192.0.2.2");
  expect(wantedRoutes([one], "a")).toEqual([{ to: "10.244.1.0/24", via: "192.0.2.2" }, { to: "fd00:244:0:1::/64" }]);
  expect(wantedRoutes([one], "a", () => "sw-1").map(({ to, tunnel }) => [to, tunnel])).toEqual([
    ["10.244.1.0/24", "sw-1"],
    ["fd00:244:0:1::/64", "sw-1"],
  ]);
});

test("names in the kernel fit it, differ by owner and are the same again after a restart", () => {
  const one = identityOf({ home: "/var/lib/skerry", clusterName: "default", nodeName: "a" });
  expect(identityOf({ home: "/var/lib/skerry", clusterName: "default", nodeName: "a" })).toEqual(one);
  expect(one.anchor.length).toBeLessThanOrEqual(15);
  expect(one.metric).toBeLessThan(2 ** 31);
  expect(identityOf({ home: "/srv/other", clusterName: "default", nodeName: "a" }).anchor).not.toBe(one.anchor);
});

test("a route that cannot be set keeps no other from it, is told once, and is set as soon as it can be", async () => {
  let hasTunnel = false;
  const set: string[] = [];
  const said: string[] = [];
  const command = async (_program: string, [, verb = "", ...args]: readonly string[]) => {
    if (verb === "-4") return JSON.stringify([{ dst: "192.0.2.3", dev: "eth0" }]);
    if (args[1] === "dev" && !hasTunnel) throw new Error("Cannot find device");
    if (verb === "replace") set.push(args[0] ?? "");
    return "";
  };
  const identity = identityOf({ home: "/var/lib/skerry", clusterName: "default", nodeName: "a" });
  const routes = new NodeRoutes(command, identity, (message) => said.push(message));
  const tunnelled = { to: "10.244.1.0/24", via: "192.0.2.2", tunnel: identity.tunnel };
  const wanted = [tunnelled, { to: "10.244.2.0/24", via: "192.0.2.3" }];
  for (let times = 0; times < 2; times++) await routes.apply(wanted);
  expect([routes.hasFailed, routes.unreachable]).toEqual([true, [tunnelled]]);
  expect([set, said]).toEqual([["10.244.2.0/24"], ["network: Cannot find device"]]);
  hasTunnel = true;
  await routes.apply(wanted);
  expect([routes.hasFailed, routes.unreachable, set.at(-1)]).toEqual([false, [], "10.244.1.0/24"]);
});

test("a range is one, however it is written", async () => {
  const [to] = wantedRoutes(
    [
      {
        metadata: { name: "b" },
        spec: { podCIDRs: ["10.244.1.9/24", "FD00:0244:0:1:0::/64"] },
        status: { addresses: [{ type: "InternalIP", address: "2001:DB8:0::2" }] },
      },
    ],
    "a",
  ).filter(({ via }) => via);
  expect(to).toEqual({ to: "fd00:244:0:1::/64", via: "2001:db8::2" });
  const identity = identityOf({ home: "/var/lib/skerry", clusterName: "default", nodeName: "a" });
  const left = { dst: "fd00:244:0:1::/64", gateway: "2001:db8::2", dev: "eth0", metric: identity.metric };
  const asked: string[] = [];
  const routes = new NodeRoutes(async (_program, args) => {
    asked.push(args.join(" "));
    return args[1] === "-6" ? JSON.stringify([left]) : "[]";
  }, identity);
  await routes.load();
  asked.length = 0;
  await routes.apply(to ? [to] : []);
  expect(asked).toEqual([]); // it stands since an earlier run
});

test("who is not reached in a family is told once, and that is no failure", async () => {
  const said: string[] = [];
  const identity = identityOf({ home: "/var/lib/skerry", clusterName: "default", nodeName: "a" });
  const routes = new NodeRoutes(
    async () => "[]",
    identity,
    (message) => said.push(message),
  );
  const wanted = [{ to: "10.244.1.0/24", via: "192.0.2.2" }, { to: "fd00:244:0:1::/64" }];
  for (let times = 0; times < 2; times++) await routes.apply(wanted);
  expect([routes.hasFailed, routes.unreachable]).toEqual([false, wanted]);
  expect(said).toEqual([
    "network: pods of 10.244.1.0/24 are not reached: their node's 192.0.2.2 is on no network of this one",
    "network: pods of fd00:244:0:1::/64 are not reached: their node has no address of IPv6 on its network",
  ]);
});
