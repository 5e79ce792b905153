import { describe, expect, it } from "vitest";
import type { CoreV1ServiceSpec } from "../generated/types.ts";
import { Service } from "./service.ts";

const allocated: CoreV1ServiceSpec = {
  type: "NodePort",
  clusterIP: "10.0.0.9",
  clusterIPs: ["10.0.0.9"],
  ipFamilies: ["IPv4"],
  ipFamilyPolicy: "SingleStack",
  ports: [{ name: "web", port: 80, nodePort: 30080 }],
};

function update(spec: CoreV1ServiceSpec): CoreV1ServiceSpec | undefined {
  const old: Service = { metadata: { name: "s" }, spec: structuredClone(allocated) };
  const service: Service = { metadata: { name: "s" }, spec: structuredClone(spec) };
  Service.default(old);
  Service.default(service);
  Service.prepareForUpdate(service, old, "");
  expect([...Service.validate(service), ...Service.validateUpdate(service, old, "")]).toEqual([]);
  return service.spec;
}

describe("an update of a Service", () => {
  it("keeps addresses and node ports that the client left out", () => {
    const spec = update({ type: "NodePort", ports: [{ name: "web", port: 81 }] });
    expect(spec).toMatchObject({ clusterIP: "10.0.0.9", clusterIPs: ["10.0.0.9"], ports: [{ nodePort: 30080 }] });
  });

  it("gives node ports up with the type that needs them", () => {
    const spec = update({ ...allocated, type: "ClusterIP", externalTrafficPolicy: "Cluster" });
    expect(spec?.ports?.[0]).not.toHaveProperty("nodePort");
    expect(spec).not.toHaveProperty("externalTrafficPolicy");
  });

  it("gives its address up when it becomes a mere name", () => {
    const spec = update({ type: "ExternalName", externalName: "example.com", ports: [{ name: "web", port: 80 }] });
    expect(spec).not.toHaveProperty("clusterIP");
    expect(spec).not.toHaveProperty("ipFamilies");
  });
});

it("an address does not change", () => {
  const old: Service = { metadata: { name: "s" }, spec: structuredClone(allocated) };
  const service: Service = { metadata: { name: "s" }, spec: { ...allocated, clusterIP: "10.0.0.8" } };
  Service.prepareForUpdate(service, old, "");
  expect([...Service.validateUpdate(service, old, "")]).toEqual([
    {
      field: "spec.clusterIPs[0]",
      reason: "FieldValueInvalid",
      message: 'Invalid value: ["10.0.0.8"]: may not change once set',
    },
  ]);
});

it("the address of a load balancer has a mode, that of other Services none", () => {
  const balanced = (type: string) => {
    const service = { spec: { type, ports: [] }, status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } } };
    Service.default(service as unknown as Service);
    return service.status.loadBalancer.ingress;
  };
  expect(balanced("LoadBalancer")).toEqual([{ ip: "203.0.113.1", ipMode: "VIP" }]);
  expect(balanced("ClusterIP")).toEqual([{ ip: "203.0.113.1" }]);
});
