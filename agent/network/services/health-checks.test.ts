import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { freePort } from "../../../test/support/free-port.ts";
import type { EndpointSlice, Service } from "../types.ts";
import { HealthChecks, healthChecksFor } from "./health-checks.ts";

const service = (port: number, spec: Service["spec"] = {}): Service => ({
  metadata: { namespace: "shop", name: "web" },
  spec: { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: port, ...spec },
});

type Endpoints = NonNullable<EndpointSlice["endpoints"]>;
const endpoint = (address: string, nodeName: string, ready?: boolean): Endpoints[number] => ({
  addresses: [address],
  nodeName,
  conditions: { ready },
});
const slice = (endpoints: Endpoints, port: number): EndpointSlice => ({
  metadata: { namespace: "shop", name: `web-${port}`, labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ port }],
  endpoints,
});

const failed: string[] = [];
let serving = true;
const checks = new HealthChecks({
  nodeName: "here",
  isServing: () => serving,
  failed: (_, message) => failed.push(message),
});
afterEach(async () => {
  await checks.close();
  failed.length = 0;
  serving = true;
});

const ask = async (port: number) => {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  return {
    status: response.status,
    weight: response.headers.get("x-load-balancing-endpoint-weight"),
    type: response.headers.get("content-type"),
    options: response.headers.get("x-content-type-options"),
    body: await response.json(),
  };
};

test("only Services of type LoadBalancer that keep traffic on its node are asked about", () => {
  const of = (spec: Service["spec"]) => healthChecksFor([service(30000, spec)], [], "here").length;
  expect([of({}), of({ type: "NodePort" }), of({ externalTrafficPolicy: "Cluster" })]).toEqual([1, 0, 0]);
  expect(of({ healthCheckNodePort: 0 })).toBe(0);
  const labels = { "service.kubernetes.io/service-proxy-name": "other" };
  expect(
    healthChecksFor([{ ...service(1), metadata: { namespace: "shop", name: "web", labels } }], [], "here"),
  ).toEqual([]);
});

test("ready endpoints of this node count, each address once", () => {
  const here = [endpoint("10.0.0.1", "here", true), endpoint("10.0.0.2", "here"), endpoint("10.0.0.3", "here", false)];
  const slices = [slice([...here, endpoint("10.0.1.1", "there", true)], 80), slice(here.slice(0, 1), 443)];
  expect(healthChecksFor([service(30000)], slices, "here")[0]?.localEndpoints).toBe(2);
});

test("answers 200 while there is a local endpoint, 503 without, and nobody once it is not asked about", async () => {
  const port = await freePort();
  const apply = (endpoints: Endpoints) =>
    checks.apply(healthChecksFor([service(port)], [slice(endpoints, 80)], "here"));
  await apply([endpoint("10.0.0.1", "here", true)]);
  const body = { service: { namespace: "shop", name: "web" }, localEndpoints: 1, serviceProxyHealthy: true };
  const headers = { type: "application/json", options: "nosniff" };
  expect(await ask(port)).toEqual({ status: 200, weight: "1", ...headers, body });
  serving = false;
  expect(await ask(port)).toMatchObject({ status: 503, weight: "1", body: { serviceProxyHealthy: false } });
  serving = true;
  await apply([]);
  expect(await ask(port)).toEqual({ status: 503, weight: "0", ...headers, body: { ...body, localEndpoints: 0 } });
  await checks.apply([]);
  await expect(ask(port)).rejects.toThrow();
});

test("a port that is taken is told once, and tried again", async () => {
  const other = createServer().listen(0, "0.0.0.0");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const wanted = healthChecksFor([service(port)], [], "here");
  await checks.apply(wanted);
  await checks.apply(wanted);
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatch(`node here failed to start healthcheck "shop/web" on port ${port}: `);
  await new Promise((resolve) => other.close(resolve));
  await checks.apply(wanted);
  expect((await ask(port)).status).toBe(503);
});
