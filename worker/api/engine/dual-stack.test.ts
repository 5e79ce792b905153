import { describe, expect, it } from "vitest";
import { ns, session } from "../testing/session.ts";

const IPV6 = { serviceCIDR: "fd00:96::/112", podCIDR: "fd00:244::/56", nodeMask: 64 };
const dual = () => session({ ipv6: IPV6 });
const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
const path = `${ns}/services/a`;

describe("addresses of a new Service", () => {
  const [v4, v6] = [expect.stringMatching(/^10\.96\./), expect.stringMatching(/^fd00:96::[0-9a-f]+$/)];
  it.each([
    [{}, "SingleStack", ["IPv4"], [v4]],
    [{ ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] }, "SingleStack", ["IPv6"], [v6]],
    [{ ipFamilyPolicy: "PreferDualStack" }, "PreferDualStack", ["IPv4", "IPv6"], [v4, v6]],
    [{ ipFamilyPolicy: "RequireDualStack" }, "RequireDualStack", ["IPv4", "IPv6"], [v4, v6]],
    [{ ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] }, "RequireDualStack", ["IPv6", "IPv4"], [v6, v4]],
    [
      { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6", "IPv4"] },
      "PreferDualStack",
      ["IPv6", "IPv4"],
      [v6, v4],
    ],
    [{ clusterIP: "fd00:96::9" }, "SingleStack", ["IPv6"], ["fd00:96::9"]],
    [
      { ipFamilyPolicy: "PreferDualStack", clusterIP: "fd00:96::9" },
      "PreferDualStack",
      ["IPv6", "IPv4"],
      ["fd00:96::9", v4],
    ],
    [
      { clusterIP: "None", selector: { app: "a" }, ipFamilyPolicy: "PreferDualStack" },
      "PreferDualStack",
      ["IPv4", "IPv6"],
      ["None"],
    ],
    [{ clusterIP: "None", selector: { app: "a" } }, "SingleStack", ["IPv4"], ["None"]],
    [{ clusterIP: "None" }, "RequireDualStack", ["IPv4", "IPv6"], ["None"]],
  ])("%j: %s %j", (asked, ipFamilyPolicy, ipFamilies, clusterIPs) => {
    const { spec } = dual().ok("POST", `${ns}/services`, service("a", asked));
    expect(spec).toMatchObject({ ipFamilyPolicy, ipFamilies, clusterIPs, clusterIP: spec.clusterIPs[0] });
  });

  it("an address is one, however it is written", () => {
    const { ok, send } = dual();
    ok("POST", `${ns}/services`, service("a", { clusterIP: "fd00:96::9" }));
    const parentRef = { resource: "things", name: "x" };
    ok("POST", "/apis/networking.k8s.io/v1/ipaddresses", { metadata: { name: "fd00:96::a" }, spec: { parentRef } });
    for (const clusterIP of ["FD00:96::0009", "FD00:96:0::A"])
      expect(send("POST", `${ns}/services`, service("b", { clusterIP })).body.message).toContain(
        `failed to allocate IP ${clusterIP}: provided IP is already allocated`,
      );
    ok("POST", `${ns}/services`, service("b", { clusterIP: "FD00:96::0B" }));
    expect(send("POST", `${ns}/services`, service("c", { clusterIP: "fd00:96::b" })).code).toBe(422);
  });

  it("in a cluster of one family a preference is met with one, and a demand refused", () => {
    const { ok, send } = session();
    const { spec } = ok("POST", `${ns}/services`, service("a", { ipFamilyPolicy: "PreferDualStack" }));
    expect(spec).toMatchObject({ ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv4"] });
    const { body } = send("POST", `${ns}/services`, service("b", { ipFamilyPolicy: "RequireDualStack" }));
    expect(body.message).toBe(
      'Service "b" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    );
  });
});

it.each([
  [
    { clusterIPs: ["10.96.0.7", "fd00:96::7"], clusterIP: "10.96.0.7" },
    "spec.ipFamilyPolicy",
    "\"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
  ],
  [
    { ipFamilies: ["IPv4", "IPv6"] },
    "spec.ipFamilyPolicy",
    "\"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  ],
  [
    { clusterIPs: ["10.96.0.7", "10.96.0.8"], clusterIP: "10.96.0.7", ipFamilyPolicy: "RequireDualStack" },
    "spec.clusterIPs",
    '["10.96.0.7","10.96.0.8"]: may specify no more than one IP for each IP family',
  ],
  [
    { clusterIP: "fd00:96::7", ipFamilies: ["IPv4"] },
    "spec.clusterIPs[0]",
    '"fd00:96::7": expected an IPv4 value as indicated by `ipFamilies[0]`',
  ],
  [
    { clusterIP: "fd00:97::7" },
    "spec.clusterIPs",
    '["fd00:97::7"]: failed to allocate IP fd00:97::7: the provided network does not match the current range',
  ],
])("refuses %j", (asked, field, message) => {
  const { code, body } = dual().send("POST", `${ns}/services`, service("a", asked));
  expect(code).toBe(422);
  expect(body.details.causes).toEqual([{ field, reason: "FieldValueInvalid", message: `Invalid value: ${message}` }]);
});

it("an address of a family that the cluster lacks is refused at the address", () => {
  const { body } = session().send("POST", `${ns}/services`, service("a", { clusterIP: "fd00:96::7" }));
  expect(body.message).toContain(
    'spec.clusterIPs[0]: Invalid value: ["fd00:96::7"]: IPv6 is not configured on this cluster',
  );
});

describe("a change of policy", () => {
  it("takes a second address, and lets it go; the first stays", () => {
    const { ok } = dual();
    const [first] = ok("POST", `${ns}/services`, service("a", {})).spec.clusterIPs;
    const both = ok("PATCH", path, { spec: { ipFamilyPolicy: "RequireDualStack" } }).spec;
    expect(both).toMatchObject({
      ipFamilies: ["IPv4", "IPv6"],
      clusterIP: first,
      clusterIPs: [first, expect.anything()],
    });
    const [, second] = both.clusterIPs;
    const one = ok("PATCH", path, { spec: { ipFamilyPolicy: "SingleStack" } }).spec;
    expect(one).toMatchObject({ ipFamilies: ["IPv4"], clusterIP: first, clusterIPs: [first] });
    ok("POST", `${ns}/services`, service("b", { clusterIP: second }));
  });

  it("by a PUT that names neither addresses nor families", () => {
    const { ok } = dual();
    ok("POST", `${ns}/services`, service("a", {}));
    const both = ok("PUT", path, service("a", { ipFamilyPolicy: "PreferDualStack" })).spec;
    expect(both.clusterIPs).toHaveLength(2);
    expect(ok("PUT", path, service("a", {})).spec).toMatchObject({ ipFamilyPolicy: "PreferDualStack", ...both });
    expect(ok("PUT", path, service("a", { ipFamilyPolicy: "SingleStack" })).spec.clusterIPs).toHaveLength(1);
  });

  it.each([
    [{ clusterIPs: "first" }, "must be 'SingleStack' to release the secondary cluster IP"],
    [{ ipFamilies: ["IPv4"] }, "must be 'SingleStack' to release the secondary IP family"],
  ])("nothing is let go without it: %j", (change, why) => {
    const { ok, send } = dual();
    const { spec } = ok("POST", `${ns}/services`, service("a", { ipFamilyPolicy: "RequireDualStack" }));
    const asked = "clusterIPs" in change ? { clusterIPs: [spec.clusterIP] } : change;
    expect(send("PATCH", path, { spec: asked }).body.details.causes).toEqual([
      {
        field: "spec.ipFamilyPolicy",
        reason: "FieldValueInvalid",
        message: `Invalid value: "RequireDualStack": ${why}`,
      },
    ]);
  });

  it("families keep their order", () => {
    const { ok, send } = dual();
    ok("POST", `${ns}/services`, service("a", { ipFamilyPolicy: "RequireDualStack" }));
    const { code, body } = send("PATCH", path, { spec: { ipFamilies: ["IPv6", "IPv4"] } });
    expect(code).toBe(422);
    expect(body.message).toContain("expected an IPv6 value as indicated by `ipFamilies[0]`");
  });
});

it("a node tells two addresses of one type, again and again, as a kubelet does", () => {
  const { ok } = dual();
  const told = (...addresses: string[]) => addresses.map((address) => ({ type: "InternalIP", address }));
  ok("POST", "/api/v1/nodes", { metadata: { name: "n" } });
  for (const addresses of [told("192.0.2.1", "2001:db8::1"), told("192.0.2.1", "2001:db8::1"), told("192.0.2.7")]) {
    const patch = { status: { addresses: [...addresses, { $patch: "replace" }] } };
    const { status } = ok("PATCH", "/api/v1/nodes/n/status", patch, "application/strategic-merge-patch+json");
    expect(status.addresses).toEqual(addresses);
  }
});

it("a ServiceCIDR of the second family gives addresses too", () => {
  const { ok, send } = session({ ipv6: { ...IPV6, serviceCIDR: "fd00:96::/127" } });
  const make = (name: string) => service(name, { ipFamilies: ["IPv6"] });
  expect(ok("POST", `${ns}/services`, make("a")).spec.clusterIP).toBe("fd00:96::1");
  expect(send("POST", `${ns}/services`, make("b")).body.message).toContain("range is full");
  const more = { metadata: { name: "more" }, spec: { cidrs: ["fd00:97::/64"] } };
  ok("POST", "/apis/networking.k8s.io/v1/servicecidrs", more);
  expect(ok("POST", `${ns}/services`, make("b")).spec.clusterIP).toMatch(/^fd00:97::/);
});
