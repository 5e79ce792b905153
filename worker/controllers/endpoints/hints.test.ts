import { beforeEach, describe, expect, test } from "vitest";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { Model } from "../testing.ts";
import { endpointSliceController } from "./endpoint-slices.ts";

let model: Model;
beforeEach(() => {
  model = new Model([endpointSliceController]);
});

function addNode(name: string, zone: string | undefined, cpu = "2"): void {
  model.addNode(name, { cpu }, (node) => {
    if (zone) node.metadata.labels = { ...node.metadata.labels, "topology.kubernetes.io/zone": zone };
  });
}

function service(trafficDistribution?: string, annotations?: Record<string, string>): Service {
  return model.create(Service, {
    metadata: { name: "web", namespace: "default", ...(annotations && { annotations }) },
    spec: {
      selector: { app: "web" },
      clusterIP: "10.96.0.9",
      ports: [{ port: 80 }],
      ...(trafficDistribution && { trafficDistribution }),
    },
  });
}

let host = 0;
function backend(name: string, nodeName: string, ready = true): Pod {
  const made = model.create(Pod, {
    metadata: { name, namespace: "default", labels: { app: "web" } },
    spec: { nodeName, containers: [{ name: "c", image: "app" }] },
  });
  host = (host % 250) + 1;
  const podIP = `10.244.0.${host}`;
  model.edit(Pod, made, (copy) => Object.assign(copy.status ?? {}, { podIP, podIPs: [{ ip: podIP }] }), "status");
  model.setPod(made, "Running", ready);
  return made;
}

/** `pod: zones / nodes` of each endpoint that has hints. */
function hints(): string[] {
  model.rest();
  return model
    .list(EndpointSlice)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .flatMap(({ targetRef, hints: { forZones, forNodes } = {} }) => {
      const names = (list: { name: string }[] | undefined) => (list ?? []).map(({ name }) => name).join();
      return forZones || forNodes ? `${targetRef?.name}: ${names(forZones)} / ${names(forNodes)}` : [];
    })
    .toSorted();
}

describe("trafficDistribution", () => {
  beforeEach(() => {
    addNode("n1", "east");
    addNode("n2", undefined);
    backend("a", "n1");
    backend("b", "n2");
    backend("c", "n1", false);
  });

  test.each([
    ["PreferClose", ["a: east / "]],
    ["PreferSameZone", ["a: east / "]],
    ["PreferSameNode", ["a: east / n1", "b:  / n2"]],
    [undefined, []],
  ])("%s", (distribution, expected) => {
    service(distribution);
    expect(hints()).toEqual(expected);
  });

  test("is given up when the Service no longer asks", () => {
    const made = service("PreferClose");
    expect(hints()).toHaveLength(1);
    model.edit(Service, made, (copy) => {
      delete copy.spec.trafficDistribution;
    });
    expect(hints()).toEqual([]);
  });
});

describe("topology-mode Auto", () => {
  const AUTO = { "service.kubernetes.io/topology-mode": "Auto" };
  const events = () => model.events.map(({ reason, message }) => `${reason}: ${message}`);

  test("gives each zone endpoints by its processors, from zones that have more than they should", () => {
    addNode("n1", "east", "4");
    addNode("n2", "west", "4");
    for (const name of ["a", "b", "c"]) backend(name, "n1");
    backend("d", "n2");
    service(undefined, AUTO);
    expect(hints()).toEqual(["a: west / ", "b: east / ", "c: east / ", "d: west / "]);
    expect(events()).toEqual(["TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4"]);
    addNode("n3", "west", "8");
    expect(hints().filter((hint) => hint.includes("west"))).toHaveLength(3);
  });

  test.each([
    [
      "one zone",
      [["n1", "east"]],
      "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes",
    ],
    [
      "a node without a zone",
      [
        ["n1", "east"],
        ["n2", "west"],
        ["n3", undefined],
      ],
      "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes",
    ],
    [
      "more zones than endpoints",
      [
        ["n1", "east"],
        ["n2", "west"],
        ["n3", "north"],
      ],
      "Insufficient number of endpoints (2 endpoints, 3 zones)",
    ],
  ] as const)("is refused for %s", (_, nodes, why) => {
    for (const [name, zone] of nodes) addNode(name, zone);
    backend("a", "n1");
    backend("b", "n1");
    service(undefined, AUTO);
    expect(hints()).toEqual([]);
    expect(events()).toContain(`TopologyAwareHintsDisabled: ${why}, addressType: IPv4`);
  });

  test("goes before trafficDistribution, and a node of a zone that goes takes the hints with it", () => {
    addNode("n1", "east");
    addNode("n2", "west");
    backend("a", "n1");
    backend("b", "n1");
    service("PreferClose", AUTO);
    expect(hints()).toEqual(["a: west / ", "b: east / "]);
    model.delete(Node, model.get(Node, "n2") as Node);
    expect(hints()).toEqual([]);
  });
});
