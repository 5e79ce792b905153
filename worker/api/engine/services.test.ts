import { describe, expect, it } from "vitest";
import { ns, session } from "../testing/session.ts";

const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });

it("gets an address from the upper band of the range, and gives it back when deleted", () => {
  const { ok, clock } = session();
  const { spec } = ok("POST", `${ns}/services`, service("a", {}));
  expect(spec).toMatchObject({ clusterIPs: [spec.clusterIP], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
  expect(spec.clusterIP).toMatch(/^10\.96\.\d+\.\d+$/);
  expect(Number(spec.clusterIP.split(".")[2])).toBeGreaterThan(0);
  const second = ok("POST", `${ns}/services`, service("b", {})).spec.clusterIP;
  expect(second).not.toBe(spec.clusterIP);
  ok("DELETE", `${ns}/services/a`);
  clock.random = 0.5;
  expect(ok("POST", `${ns}/services`, service("c", {})).spec.clusterIP).toBe(spec.clusterIP);
});

it.each([
  ["10.96.0.10", "provided IP is already allocated"],
  ["8.8.8.8", "the provided network does not match the current range"],
])("does not get %s: %s", (clusterIP, why) => {
  const { ok, send } = session();
  ok("POST", `${ns}/services`, service("dns", { clusterIP: "10.96.0.10" }));
  const { body } = send("POST", `${ns}/services`, service("a", { clusterIP }));
  expect(body.details.causes).toEqual([
    {
      field: "spec.clusterIPs",
      reason: "FieldValueInvalid",
      message: `Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: ${why}`,
    },
  ]);
});

it("a range that is full is an error of the server, and leaves nothing behind", () => {
  const { ok, send, store } = session({ serviceCIDR: "10.1.0.0/30" });
  for (const name of ["a", "b"]) ok("POST", `${ns}/services`, service(name, {}));
  const before = store.revision();
  expect(send("POST", `${ns}/services`, service("c", {})).body.message).toContain("range is full");
  expect(store.revision()).toBe(before);
});

describe("node ports", () => {
  it("come with the type and go with it", () => {
    const { ok } = session();
    ok("POST", `${ns}/services`, service("a", {}));
    const open = ok("PATCH", `${ns}/services/a`, { spec: { type: "NodePort" } }).spec;
    expect(open).toMatchObject({ externalTrafficPolicy: "Cluster", ports: [{ nodePort: expect.any(Number) }] });
    const closed = ok("PATCH", `${ns}/services/a`, { spec: { type: "ClusterIP" } }).spec;
    expect(closed).not.toHaveProperty("externalTrafficPolicy");
    expect(closed.ports[0]).not.toHaveProperty("nodePort");
  });

  it("stay through an update that does not repeat them, as the address does", () => {
    const { ok } = session();
    const { spec } = ok("POST", `${ns}/services`, service("a", { type: "NodePort" }));
    const again = ok("PUT", `${ns}/services/a`, service("a", { type: "NodePort", selector: { app: "a" } })).spec;
    expect(again.clusterIP).toBe(spec.clusterIP);
    expect(again.ports[0].nodePort).toBe(spec.ports[0].nodePort);
  });

  it.each([
    [30080, "provided port is already allocated"],
    [80, "provided port is not in the valid range. The range of valid ports is 30000-32767"],
  ])("%i is refused: %s", (nodePort, why) => {
    const { ok, send } = session();
    ok("POST", `${ns}/services`, service("a", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }));
    const { body } = send(
      "POST",
      `${ns}/services`,
      service("b", { type: "NodePort", ports: [{ port: 80, nodePort }] }),
    );
    expect(body.details.causes).toEqual([
      { field: "spec.ports[0].nodePort", reason: "FieldValueInvalid", message: `Invalid value: ${nodePort}: ${why}` },
    ]);
  });

  it("are one number for TCP and UDP of one port", () => {
    const { ok } = session();
    const ports = [
      { name: "t", port: 53, protocol: "TCP" },
      { name: "u", port: 53, protocol: "UDP" },
      { name: "x", port: 54 },
    ];
    const [t, u, x] = ok("POST", `${ns}/services`, service("a", { type: "NodePort", ports })).spec.ports;
    expect(t.nodePort).toBe(u.nodePort);
    expect(x.nodePort).not.toBe(t.nodePort);
  });
});

it("an ExternalName takes nothing, and lets go of what it had", () => {
  const { ok } = session();
  ok("POST", `${ns}/services`, service("a", {}));
  const patch = { spec: { type: "ExternalName", externalName: "example.com", clusterIP: null, clusterIPs: null } };
  const { spec } = ok("PATCH", `${ns}/services/a`, patch);
  for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
    expect(spec).not.toHaveProperty(field);
});

it("a headless one has no address, and any family when its endpoints are the user's own", () => {
  const { ok } = session();
  expect(ok("POST", `${ns}/services`, { metadata: { name: "a" }, spec: { clusterIP: "None" } }).spec).toMatchObject({
    clusterIPs: ["None"],
    ipFamilies: ["IPv4", "IPv6"],
    ipFamilyPolicy: "RequireDualStack",
  });
});

it("a dry run takes nothing", () => {
  const { ok } = session();
  const tried = ok("POST", `${ns}/services?dryRun=All`, service("a", {})).spec.clusterIP;
  expect(ok("POST", `${ns}/services`, service("b", {})).spec.clusterIP).toBe(tried);
});

it("takes addresses of ranges that were added, and none that an IPAddress of someone else's names", () => {
  const { ok, send } = session({ serviceCIDR: "10.1.0.0/30" });
  const networking = "/apis/networking.k8s.io/v1";
  ok("POST", `${networking}/servicecidrs`, { metadata: { name: "more" }, spec: { cidrs: ["10.2.0.0/30"] } });
  const parentRef = { group: "example.com", resource: "routers", name: "r" };
  ok("POST", `${networking}/ipaddresses`, { metadata: { name: "10.1.0.2" }, spec: { parentRef } });
  const got = ["a", "b", "c"].map((name) => ok("POST", `${ns}/services`, service(name, {})).spec.clusterIP);
  expect(got.toSorted()).toEqual(["10.1.0.1", "10.2.0.1", "10.2.0.2"]);
  expect(send("POST", `${ns}/services`, service("d", {})).body.message).toContain("range is full");
});
