import { expect, test } from "vitest";
import type { CoreV1Service, DiscoveryV1EndpointSlice } from "../generated/types.ts";
import { backendOf, isProblem, portOf } from "./backends.ts";

const target = (port: number | string) => ({ namespace: "default", service: "web", port });
const service = (spec: CoreV1Service["spec"]): CoreV1Service => ({ metadata: { name: "web" }, spec });
const ports = [
  { name: "http", port: 80, targetPort: 8080 },
  { name: "dns", port: 53, protocol: "UDP" },
];

test("a Service's port is meant by number or name", () => {
  expect(portOf(target(80), service({ ports }))).toBe(ports[0]);
  expect(portOf(target("http"), service({ ports }))).toBe(ports[0]);
});

test.each([
  [80, undefined, "ServiceNotFound", 'service "default/web" does not exist'],
  [81, { ports }, "ServicePortNotFound", 'service "default/web" has no TCP port 81'],
  ["https", { ports }, "ServicePortNotFound", 'service "default/web" has no TCP port "https"'],
  [53, { ports }, "ServicePortNotFound", 'service "default/web" has no TCP port 53'],
  [80, { type: "ExternalName", ports }, "ServiceNotSupported", undefined],
] as const)("port %s of %j: %s", (port, spec, reason, message) => {
  const found = portOf(target(port), spec && service(spec as CoreV1Service["spec"]));
  expect(isProblem(found) && found.reason).toBe(reason);
  if (message) expect(found).toHaveProperty("message", message);
});

type Conditions = { ready?: boolean; serving?: boolean; terminating?: boolean };
const slice = (endpoints: Record<string, Conditions>, change: Partial<DiscoveryV1EndpointSlice> = {}) =>
  ({
    metadata: {},
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Object.entries(endpoints).map(([address, conditions]) => ({
      addresses: [address],
      conditions,
      nodeName: "node-a",
    })),
    ...change,
  }) as DiscoveryV1EndpointSlice;

const READY = { ready: true, serving: true, terminating: false };
const DRAINING = { ready: false, serving: true, terminating: true };
const port = { name: "http", port: 80 };
const addresses = (...slices: DiscoveryV1EndpointSlice[]) =>
  backendOf(port, slices).endpoints.map(({ address }) => address);

test("ready endpoints of all slices, each once", () => {
  expect(backendOf(port, [slice({ "10.0.0.2": READY }), slice({ "10.0.0.1": {}, "10.0.0.2": READY })])).toEqual({
    protocol: "http",
    endpoints: [
      { address: "10.0.0.1", port: 8080, node: "node-a" },
      { address: "10.0.0.2", port: 8080, node: "node-a" },
    ],
  });
});

test("those that end get nothing new, unless there are no others", () => {
  expect(addresses(slice({ "10.0.0.1": READY, "10.0.0.2": DRAINING }))).toEqual(["10.0.0.1"]);
  expect(addresses(slice({ "10.0.0.2": DRAINING, "10.0.0.3": { ...DRAINING, serving: false } }))).toEqual(["10.0.0.2"]);
  expect(addresses(slice({ "10.0.0.1": { ready: false, serving: false, terminating: false } }))).toEqual([]);
});

test("slices of other ports and protocols do not count, nor those of IPv6 beside IPv4", () => {
  const ipv6 = slice({ "fd00::1": READY }, { addressType: "IPv6" });
  expect(addresses(ipv6)).toEqual(["fd00::1"]);
  expect(addresses(ipv6, slice({ "10.0.0.1": READY }))).toEqual(["10.0.0.1"]);
  expect(addresses(slice({ "10.0.0.1": READY }, { ports: [{ name: "other", port: 1 }] }))).toEqual([]);
  expect(addresses(slice({ "10.0.0.1": READY }, { ports: [{ name: "http", port: 1, protocol: "UDP" }] }))).toEqual([]);
  expect(addresses(slice({ "10.0.0.1": READY }, { ports: null, endpoints: null }))).toEqual([]);
});

test.each([
  [undefined, "http"],
  ["http", "http"],
  ["kubernetes.io/ws", "http"],
  ["kubernetes.io/h2c", "h2c"],
  ["grpc", "h2c"],
  ["https", "https"],
  ["HTTPS", "https"],
])("appProtocol %s is spoken as %s", (appProtocol, protocol) => {
  expect(backendOf({ ...port, ...(appProtocol && { appProtocol }) }, []).protocol).toBe(protocol);
});
