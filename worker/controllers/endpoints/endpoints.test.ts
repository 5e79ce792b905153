import { describe, expect, test } from "vitest";
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { Model } from "../testing.ts";
import { endpointSliceController } from "./endpoint-slices.ts";
import { endpointsController } from "./endpoints.ts";

const cluster = () => new Model([endpointSliceController, endpointsController]);

function service(model: Model, spec: Partial<Service["spec"]> = {}, labels?: Record<string, string>): void {
  model.create(Service, {
    metadata: { name: "web", namespace: "default", ...(labels && { labels }) },
    spec: { selector: { app: "web" }, clusterIP: "10.96.0.9", ports: [{ port: 80, targetPort: 8080 }], ...spec },
  });
  model.rest();
}

let host = 0;
function backend(model: Model, name: string, ready = true, change: (pod: Pod) => void = () => {}): Pod {
  const pod: Pod = {
    metadata: { name, namespace: "default", labels: { app: "web" } },
    spec: { nodeName: "node-a", containers: [{ name: "c", image: "app" }] },
  };
  change(pod);
  const made = model.create(Pod, pod);
  host = (host % 250) + 1;
  const podIP = `10.244.0.${host}`;
  model.edit(Pod, made, (copy) => Object.assign(copy.status ?? {}, { podIP, podIPs: [{ ip: podIP }] }), "status");
  model.setPod(made, "Running", ready);
  model.rest();
  return model.get(Pod, name) as Pod;
}

const slices = (model: Model) => model.list(EndpointSlice);
const conditions = (model: Model) =>
  Object.fromEntries(
    slices(model).flatMap(({ endpoints }) =>
      (endpoints ?? []).map(({ targetRef, conditions: c }) => [
        targetRef?.name,
        [c?.ready, c?.serving, c?.terminating],
      ]),
    ),
  );
const addresses = (model: Model) => {
  const subset = model.get(Endpoints, "web")?.subsets?.[0];
  return {
    ready: (subset?.addresses ?? []).map(({ targetRef }) => targetRef?.name),
    unready: (subset?.notReadyAddresses ?? []).map(({ targetRef }) => targetRef?.name),
  };
};

describe("a Service with a selector", () => {
  test("has one labelled slice, owned by it, and Endpoints of its name", () => {
    const model = cluster();
    service(model, {}, { tier: "front" });
    const pod = backend(model, "a");
    const [slice, ...more] = slices(model);
    expect(more).toEqual([]);
    expect(slice).toMatchObject({
      metadata: {
        labels: {
          tier: "front",
          "kubernetes.io/service-name": "web",
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
        ownerReferences: [{ kind: "Service", name: "web", controller: true }],
      },
      addressType: "IPv4",
      ports: [{ name: "", port: 8080, protocol: "TCP" }],
      endpoints: [
        {
          addresses: [pod.status?.podIP],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: "node-a",
          targetRef: { kind: "Pod", namespace: "default", name: "a", uid: pod.metadata.uid },
        },
      ],
    });
    expect(model.get(Endpoints, "web")?.subsets).toEqual([
      {
        addresses: [
          {
            ip: pod.status?.podIP,
            nodeName: "node-a",
            targetRef: { kind: "Pod", namespace: "default", name: "a", uid: pod.metadata.uid },
          },
        ],
        ports: [{ port: 8080, protocol: "TCP" }],
      },
    ]);
  });

  test("without pods has one empty slice and empty Endpoints", () => {
    const model = cluster();
    service(model);
    expect(slices(model)).toHaveLength(1);
    expect(slices(model)[0]?.endpoints ?? []).toEqual([]);
    expect(model.get(Endpoints, "web")).toBeDefined();
    expect(model.get(Endpoints, "web")?.subsets).toBeUndefined();
  });

  test("tells ready, unready and ending pods apart", () => {
    const model = cluster();
    service(model);
    backend(model, "a");
    backend(model, "b", false);
    model.delete(Pod, backend(model, "c"));
    model.rest();
    expect(conditions(model)).toEqual({
      a: [true, true, false],
      b: [false, false, false],
      c: [false, true, true],
    });
    expect(addresses(model)).toEqual({ ready: ["a"], unready: ["b"] });
  });

  test("follows a pod that turns unready, changes labels, finishes or goes", () => {
    const model = cluster();
    service(model);
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => backend(model, name));
    model.setPod(a as Pod, "Running", false);
    model.edit(Pod, b as Pod, ({ metadata }) => Object.assign(metadata, { labels: { app: "debug" } }));
    model.setPod(c as Pod, "Succeeded", false);
    model.endPod(d as Pod);
    model.rest();
    expect(conditions(model)).toEqual({ a: [false, false, false] });
  });

  test("that publishes unready addresses calls all of them ready", () => {
    const model = cluster();
    service(model, { publishNotReadyAddresses: true });
    backend(model, "a", false);
    expect(conditions(model)).toEqual({ a: [true, false, false] });
    expect(addresses(model)).toEqual({ ready: ["a"], unready: [] });
  });

  test("finds a named port on each pod, and keeps pods with different numbers in different slices", () => {
    const model = cluster();
    service(model, { ports: [{ name: "http", port: 80, targetPort: "http" }] });
    const listening = (containerPort: number) => (pod: Pod) => {
      pod.spec.containers = [{ name: "c", image: "app", ports: [{ name: "http", containerPort }] }];
    };
    backend(model, "old", true, listening(8080));
    backend(model, "new", true, listening(9090));
    const ports = slices(model).map((slice) => [slice.ports?.[0]?.port, slice.endpoints?.[0]?.targetRef?.name]);
    expect(new Map(ports as [number, string][])).toEqual(
      new Map([
        [8080, "old"],
        [9090, "new"],
      ]),
    );
  });

  test("that is headless is marked, and gives pods of its subdomain their host names", () => {
    const model = cluster();
    service(model, { clusterIP: "None" });
    backend(model, "db-0", true, ({ spec }) => Object.assign(spec, { hostname: "db-0", subdomain: "web" }));
    expect(slices(model)[0]?.metadata.labels).toHaveProperty("service.kubernetes.io/headless", "");
    expect(slices(model)[0]?.endpoints?.[0]?.hostname).toBe("db-0");
    expect(model.get(Endpoints, "web")?.subsets?.[0]?.addresses?.[0]?.hostname).toBe("db-0");
  });

  test("fills slices of a hundred, and leaves the full ones alone when pods change", () => {
    const model = cluster();
    service(model);
    for (let i = 0; i < 120; i++) backend(model, `p-${i}`);
    expect(
      slices(model)
        .map(({ endpoints }) => endpoints?.length)
        .sort(),
    ).toEqual([100, 20]);
    const versions = () => slices(model).map(({ metadata }) => metadata.resourceVersion);
    const before = versions();
    model.endPod(model.get(Pod, "p-119") as Pod);
    model.rest();
    expect(versions().filter((version) => before.includes(version))).toHaveLength(1);
  });

  test("without a selector, or by another's name, is left to its maker", () => {
    const model = cluster();
    service(model, { selector: undefined });
    backend(model, "a");
    expect(slices(model)).toEqual([]);
    expect(model.get(Endpoints, "web")).toBeUndefined();
  });

  test("that goes takes its Endpoints along, but no one else's", () => {
    const model = cluster();
    service(model);
    model.create(Endpoints, { metadata: { name: "mine", namespace: "default" } });
    model.delete(Service, model.get(Service, "web") ?? {});
    model.rest();
    expect(model.list(Endpoints).map(({ metadata }) => metadata.name)).toEqual(["mine"]);
  });

  test("gets back a slice that someone deleted or changed", () => {
    const model = cluster();
    service(model);
    backend(model, "a");
    const [slice] = slices(model);
    if (slice) model.edit(EndpointSlice, slice, (copy) => Object.assign(copy, { endpoints: [] }));
    model.rest();
    expect(conditions(model)).toEqual({ a: [true, true, false] });
    const [again] = slices(model);
    if (again) model.delete(EndpointSlice, again);
    model.rest();
    expect(conditions(model)).toEqual({ a: [true, true, false] });
  });
});

test("a Service of two families has slices of each, of the pods that have such an address; Endpoints have the first", () => {
  const model = cluster();
  service(model, { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" });
  const both = backend(model, "both");
  const one = backend(model, "one");
  model.edit(Pod, both, ({ status }) => status?.podIPs?.push({ ip: "fd00::7" }), "status");
  model.rest();
  const found = () =>
    slices(model).map(({ addressType, endpoints }) => [addressType, ...(endpoints ?? []).flatMap((e) => e.addresses)]);
  expect(found().toSorted()).toEqual([
    ["IPv4", both.status?.podIP, one.status?.podIP],
    ["IPv6", "fd00::7"],
  ]);
  expect(model.get(Endpoints, "web")?.subsets?.[0]?.addresses).toMatchObject([{ ip: "fd00::7" }]);
  const web = model.get(Service, "web") as Service;
  model.edit(Service, web, ({ spec }) => Object.assign(spec, { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" }));
  model.rest();
  expect(found()).toEqual([["IPv6", "fd00::7"]]);
});
