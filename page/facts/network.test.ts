import { expect, test } from "vitest";
import type { EndpointSlice, HttpRoute, Ingress, Service } from "../api/objects.ts";
import { endpointsOf, httpRouteLeads, ingressLeads, isOurs, leadsOnlyTo, publicIngress, routesOf } from "./network.ts";

const meta = (name: string, labels = {}) => ({
  name,
  namespace: "shop",
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "",
  labels,
});
const service: Service = { metadata: meta("web"), spec: {} };

const slice = (name: string, of: string, endpoints: EndpointSlice["endpoints"]): EndpointSlice => ({
  metadata: meta(name, { "kubernetes.io/service-name": of }),
  endpoints,
});

test("a pod of two families answers once; what is not said to be unready is ready; other Services' are left out", () => {
  const one = { targetRef: { kind: "Pod", name: "web-1" }, nodeName: "a", conditions: { ready: true } };
  const found = endpointsOf(service, [
    slice("v4", "web", [{ ...one, addresses: ["10.0.0.1"] }]),
    slice("v6", "web", [
      { ...one, addresses: ["fd00::1"] },
      { addresses: ["fd00::9"], conditions: { ready: false } },
    ]),
    slice("none", "web", null),
    slice("other", "db", [{ ...one, addresses: ["10.0.0.3"] }]),
  ]);
  expect(found).toEqual([
    { name: "fd00::9", address: "fd00::9", node: "", ready: false },
    { name: "web-1", pod: "web-1", address: "10.0.0.1, fd00::1", node: "a", ready: true },
  ]);
  expect(endpointsOf(service, [slice("v4", "web", [{ addresses: ["10.0.0.1"] }])])[0]?.ready).toBe(true);
});

test("what the page makes public leads to the Service, and is the page's own; others' routes have their hosts and TLS", () => {
  const made = publicIngress(service, "shop.example.com", 80);
  const ours = { ...made, metadata: meta("web-public-1", made.metadata.labels) } as Ingress;
  const theirs: Ingress = {
    metadata: meta("theirs"),
    spec: {
      defaultBackend: { service: { name: "web" } },
      tls: [{ hosts: ["safe.example.com"] }],
      rules: [
        { host: "safe.example.com", http: { paths: [{ path: "/a", backend: { service: { name: "web" } } }] } },
        { host: "other.example.com", http: { paths: [{ backend: { service: { name: "db" } } }] } },
      ],
    },
  };
  expect(
    routesOf(service, [ours, theirs]).map(({ host, path, tls, ingress }) => [host, path, tls, isOurs(ingress)]),
  ).toEqual([
    ["shop.example.com", "/", false, true],
    ["safe.example.com", "/a", true, false],
    ["*", "/", false, false],
  ]);
});

test("an Ingress that leads elsewhere too is more than a Service's public address", () => {
  const { spec } = publicIngress(service, "shop.example.com", 80);
  const ingress = (more: object): Ingress => ({ metadata: meta("web-public-1"), spec: { ...spec, ...more } });
  const other = { http: { paths: [{ path: "/", backend: { service: { name: "db" } } }] } };
  const cases = [{}, { rules: [...spec.rules, other] }, { defaultBackend: { service: { name: "db" } } }, { rules: [] }];
  expect(cases.map((more) => leadsOnlyTo(service, ingress(more)))).toEqual([true, false, false, false]);
});

test("where an Ingress and an HTTPRoute lead, each Service once", () => {
  const { spec } = publicIngress(service, "shop.example.com", 80);
  const defaultBackend = { service: { name: "db" } };
  const ingress: Ingress = { metadata: meta("a"), spec: { defaultBackend, rules: [...spec.rules, ...spec.rules, {}] } };
  expect(ingressLeads(ingress)).toEqual({ hosts: ["shop.example.com", "*"], services: ["shop/web", "shop/db"] });
  const refs = [{ name: "web" }, { name: "far", namespace: "other" }, { kind: "Bucket", name: "files" }];
  const route: HttpRoute = {
    metadata: meta("r"),
    spec: { hostnames: ["a.example.com"], rules: [{ backendRefs: refs }, {}] },
  };
  expect(httpRouteLeads(route)).toEqual({ hosts: ["a.example.com"], services: ["shop/web", "other/far"] });
  expect(httpRouteLeads({ metadata: meta("r") })).toEqual({ hosts: [], services: [] });
});
