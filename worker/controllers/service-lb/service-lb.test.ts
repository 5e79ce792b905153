import { beforeEach, describe, expect, test } from "vitest";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import type { CoreV1ServiceSpec } from "../../kinds/generated/types.ts";
import { OPTIONAL_CONTROLLERS } from "../../lib/config.ts";
import { POOL } from "../../lib/load-balancers.ts";
import type { View } from "../controller.ts";
import { AUTOSCALER } from "../horizontalpodautoscaler/horizontalpodautoscaler.ts";
import { builtinControllers } from "../index.ts";
import { Model } from "../testing.ts";
import { serviceLoadBalancerController } from "./service-lb.ts";

let cluster: Model;
beforeEach(() => {
  cluster = new Model([serviceLoadBalancerController]);
  addNode("a", "192.0.2.1");
  addNode("b", "192.0.2.2");
});

function addNode(name: string, address: string): void {
  const node = cluster.addNode(name);
  cluster.edit(
    Node,
    node,
    (copy) => {
      copy.status = { ...copy.status, addresses: [{ type: "InternalIP", address }] };
    },
    "status",
  );
}

function service(name: string, spec: Partial<CoreV1ServiceSpec> = {}): Service {
  cluster.now += 1000;
  const made = cluster.create(Service, {
    metadata: { name, namespace: "default" },
    spec: { type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP" }], ...spec },
  } as Service);
  cluster.rest();
  return made;
}

const told = (name: string) => cluster.get(Service, name)?.status?.loadBalancer?.ingress?.map(({ ip }) => ip);
const events = () => cluster.events.map(({ reason, message }) => `${reason}: ${message}`);

test("its addresses are those of the nodes that are ready, and follow them", () => {
  service("web");
  expect(told("web")).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(events()).toEqual([
    "EnsuringLoadBalancer: Ensuring load balancer",
    "EnsuredLoadBalancer: Ensured load balancer",
  ]);
  cluster.setNodeReady("a", "Unknown");
  cluster.rest();
  expect(told("web")).toEqual(["192.0.2.2"]);
  expect(events()).toContain("UpdatedLoadBalancer: Updated load balancer with new hosts");
  cluster.edit(Node, { metadata: { name: "b" } } as Node, (node) => {
    node.metadata.labels = { "node.kubernetes.io/exclude-from-external-load-balancers": "" };
  });
  cluster.rest();
  expect(told("web")).toBeUndefined();
});

test("a port is the older Service's, and the other's when that goes", () => {
  const first = service("first");
  service("second", { ports: [{ port: 443 }, { port: 80, protocol: "TCP" }] } as Partial<CoreV1ServiceSpec>);
  service("third", { ports: [{ port: 80, protocol: "UDP" }] } as Partial<CoreV1ServiceSpec>);
  expect([told("first")?.length, told("second"), told("third")?.length]).toEqual([2, undefined, 2]);
  expect(events()).toContain(
    'SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: port TCP/80 of the nodes is in use by service "default/first"',
  );
  cluster.delete(Service, first);
  cluster.rest();
  expect(told("second")).toHaveLength(2);
});

test("and stays whose it is when another is made within the same second", () => {
  service("second");
  cluster.now -= 1000;
  service("first");
  expect([told("second")?.length, told("first")]).toEqual([2, undefined]);
});

test.each([22, 6443, 10250])("port %d is left to the nodes", (port) => {
  service("own", { ports: [{ port, protocol: "TCP" }] });
  expect(told("own")).toBeUndefined();
  expect(events().join()).toContain(`port TCP/${port} is the nodes' own`);
});

test("another class is another controller's", () => {
  service("theirs", { loadBalancerClass: "example.com/lb" });
  expect(told("theirs")).toBeUndefined();
  expect(cluster.events).toEqual([]);
});

test("with externalTrafficPolicy Local they are those of the nodes that have a ready pod of it", () => {
  service("web", { externalTrafficPolicy: "Local" });
  expect(told("web")).toEqual(["192.0.2.1", "192.0.2.2"]);
  const endpoint = (nodeName: string, ready: boolean) => ({ addresses: ["10.0.0.1"], nodeName, conditions: { ready } });
  const slice = cluster.create(EndpointSlice, {
    metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [endpoint("a", false), endpoint("b", true)],
    ports: [],
  } as EndpointSlice);
  cluster.rest();
  expect(told("web")).toEqual(["192.0.2.2"]);
  cluster.edit(EndpointSlice, slice, (copy) => {
    copy.endpoints = [endpoint("a", true)] as EndpointSlice["endpoints"];
  });
  cluster.rest();
  expect(told("web")).toEqual(["192.0.2.1"]);
});

test("one that becomes a ClusterIP loses them, and the finalizer that all have", () => {
  const web = service("web");
  const finalizers = () => cluster.get(Service, "web")?.metadata.finalizers;
  expect(finalizers()).toEqual(["service.kubernetes.io/load-balancer-cleanup"]);
  cluster.edit(Service, web, (copy) => {
    copy.spec.type = "ClusterIP";
  });
  cluster.rest();
  expect([told("web"), finalizers()]).toEqual([undefined, undefined]);
  expect(events().slice(-2)).toEqual([
    "DeletingLoadBalancer: Deleting load balancer",
    "DeletedLoadBalancer: Deleted load balancer",
  ]);
});

test("the finalizer lets a Service go that is deleted, of any class, and leaves it to others until then", () => {
  const finalizers = ["service.kubernetes.io/load-balancer-cleanup"];
  const theirs = service("theirs", { loadBalancerClass: "example.com/lb" });
  cluster.edit(Service, theirs, (copy) => {
    copy.metadata.finalizers = [...finalizers, "example.com/lb"];
  });
  cluster.edit(
    Service,
    theirs,
    (copy) => {
      copy.status = { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } };
    },
    "status",
  );
  cluster.rest();
  expect(cluster.get(Service, "theirs")?.metadata.finalizers).toHaveLength(2);
  for (const one of [service("ours"), theirs]) cluster.delete(Service, one);
  cluster.rest();
  expect(cluster.get(Service, "ours")).toBeUndefined();
  expect([cluster.get(Service, "theirs")?.metadata.finalizers, told("theirs")]).toEqual([
    ["example.com/lb"],
    ["203.0.113.1"],
  ]);
});

test("that a load balancer is deleted is told when it is", () => {
  service("web");
  const held = cluster.get(Service, "web") as Service;
  const view = {
    ...cluster.view,
    get: () => ({ ...held, spec: { ...held.spec, type: "ClusterIP" } }),
  } as unknown as View;
  const intents = serviceLoadBalancerController.reconcile(view, "default/web", { now: 0, random: () => 0 });
  expect(intents.map((intent) => intent.do)).toEqual(["update", "event", "event"]);
});

describe("with a pool of addresses", () => {
  const pool = (data: Record<string, string>) =>
    cluster.create(ConfigMap, { metadata: { name: POOL.name, namespace: POOL.namespace }, data } as ConfigMap);
  const by = (name: string) => cluster.get(Service, name)?.metadata.annotations?.["skerry.dev/announced-by"];

  test("each has one of its own, of any port, that one node answers for", () => {
    pool({ addresses: "198.51.100.10-198.51.100.11" });
    service("web");
    service("ssh", { ports: [{ port: 22, protocol: "TCP" }] });
    service("third");
    expect([told("web"), told("ssh"), told("third")]).toEqual([["198.51.100.10"], ["198.51.100.11"], undefined]);
    for (const name of ["web", "ssh"]) expect(["a", "b"]).toContain(by(name));
    expect(by("third")).toBeUndefined();
    expect(events()).toContain(
      "SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: no address of the pool is free",
    );
    cluster.delete(Service, cluster.get(Service, "web") as Service);
    cluster.rest();
    expect(told("third")).toEqual(["198.51.100.10"]);
  });

  test("another node takes it over when the one is lost, and does not give it back", () => {
    pool({ addresses: "198.51.100.10/32" });
    service("web");
    const first = by("web") ?? "";
    const second = first === "a" ? "b" : "a";
    cluster.setNodeReady(first, "Unknown");
    cluster.rest();
    expect([told("web"), by("web")]).toEqual([["198.51.100.10"], second]);
    cluster.setNodeReady(first, "True");
    cluster.rest();
    expect(by("web")).toBe(second);
  });

  test("it keeps its address while no node can answer for it, and nobody else is given that", () => {
    pool({ addresses: "198.51.100.10-198.51.100.11" });
    service("web");
    service("next");
    cluster.delete(Service, cluster.get(Service, "web") as Service);
    for (const node of ["a", "b"]) cluster.setNodeReady(node, "Unknown");
    cluster.rest();
    expect([told("next"), by("next")]).toEqual([["198.51.100.11"], undefined]);
    expect(events().join()).toContain("no node that could answer for it is ready");
    service("late");
    expect(told("late")).toBeUndefined();
    for (const node of ["a", "b"]) cluster.setNodeReady(node, "True");
    cluster.rest();
    expect([told("next"), told("late")]).toEqual([["198.51.100.11"], ["198.51.100.10"]]);
    expect(by("next")).toBeDefined();
  });

  test("with externalTrafficPolicy Local a node answers that has a ready pod of it, and the address stays", () => {
    pool({ addresses: "198.51.100.10" });
    service("web", { externalTrafficPolicy: "Local" });
    const slice = cluster.create(EndpointSlice, {
      metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [],
      ports: [],
    } as unknown as EndpointSlice);
    const readyOn = (...nodes: string[]) => {
      cluster.edit(EndpointSlice, slice, (copy) => {
        copy.endpoints = nodes.map((nodeName) => ({ addresses: ["10.0.0.1"], nodeName, conditions: { ready: true } }));
      });
      cluster.rest();
      return [told("web"), by("web")];
    };
    expect(readyOn("a")).toEqual([["198.51.100.10"], "a"]);
    expect(readyOn("a", "b")).toEqual([["198.51.100.10"], "a"]);
    expect(readyOn("b")).toEqual([["198.51.100.10"], "b"]);
    expect(readyOn()).toEqual([["198.51.100.10"], "b"]);
    expect(readyOn("elsewhere")).toEqual([["198.51.100.10"], undefined]);
  });

  test("an address that is asked for is given, if it is in the pool and nobody has it", () => {
    pool({ addresses: "198.51.100.0/30, 198.51.100.9" });
    service("first", { loadBalancerIP: "198.51.100.2" });
    service("second", { loadBalancerIP: "198.51.100.2" });
    service("third", { loadBalancerIP: "203.0.113.1" });
    expect([told("first"), told("second"), told("third")]).toEqual([["198.51.100.2"], undefined, undefined]);
    expect(events().join()).toContain('address 198.51.100.2 is in use by service "default/first"');
    expect(events().join()).toContain("address 203.0.113.1 is not in the pool");
  });

  test("only nodes that the pool selects answer for its addresses", () => {
    pool({ addresses: "198.51.100.10", nodeSelector: "site=home" });
    service("web");
    expect([told("web"), by("web")]).toEqual([undefined, undefined]);
    cluster.edit(Node, { metadata: { name: "b" } } as Node, (node) => {
      node.metadata.labels = { ...node.metadata.labels, site: "home" };
    });
    cluster.rest();
    expect([told("web"), by("web")]).toEqual([["198.51.100.10"], "b"]);
  });

  test("Services come to it and go back to the nodes' addresses as it comes and goes", () => {
    service("web");
    const map = pool({ addresses: "198.51.100.10" });
    cluster.rest();
    expect(told("web")).toEqual(["198.51.100.10"]);
    cluster.delete(ConfigMap, map);
    cluster.rest();
    expect([told("web"), by("web")]).toEqual([["192.0.2.1", "192.0.2.2"], undefined]);
  });

  test("one that becomes a ClusterIP gives its address back", () => {
    pool({ addresses: "198.51.100.10" });
    const web = service("web");
    service("next");
    cluster.edit(Service, web, (copy) => {
      copy.spec.type = "ClusterIP";
    });
    cluster.rest();
    expect([told("web"), by("web"), told("next")]).toEqual([undefined, undefined, ["198.51.100.10"]]);
  });

  test.each([
    [{ addresses: "198.51.100.300" }, '"198.51.100.300" is no IPv4 address, range or CIDR'],
    [{ addresses: "198.51.100.9-198.51.100.1" }, '"198.51.100.9-198.51.100.1" is no IPv4 address, range or CIDR'],
    [{ addresses: "2001:db8::/64" }, '"2001:db8::/64" is no IPv4 address, range or CIDR'],
    [{ addresses: "198.51.100.1", nodeSelector: "a in" }, 'nodeSelector "a in" is no label selector'],
    [{}, "no address of the pool is free"],
  ])("%j says what is wrong with it", (data, problem) => {
    pool(data as Record<string, string>);
    service("web");
    expect(told("web")).toBeUndefined();
    expect(events().join()).toContain(problem);
  });
});

test("it may be left to another program, as others may", () => {
  const names = [
    ...builtinControllers({ ca: "", podCIDR: "10.244.0.0/16", nodeMask: 24 }).map(({ name }) => name),
    AUTOSCALER,
  ];
  expect(names).toEqual(expect.arrayContaining([...OPTIONAL_CONTROLLERS]));
});
