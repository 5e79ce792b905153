import { describe, expect, test } from "vitest";
import { gatewayResults } from "./gateway.ts";
import { GROUPS, groupOf, reasonAgainst } from "./groups.ts";

describe("groups", () => {
  test("a test is of its area, unless it is a conformance test, or one of network policies or of both families", () => {
    expect(groupOf("[sig-apps] Job should run [Conformance]")).toBe("conformance");
    expect(groupOf("[sig-apps] Job should run")).toBe("sig-apps");
    expect(groupOf("[sig-network] Netpol [LinuxOnly] should deny")).toBe("network-policy");
    expect(groupOf("[sig-network] [Feature:IPv6DualStack] should create pod")).toBe("dual-stack");
    expect(groupOf("[gateway-api] HTTPRouteWeight")).toBe("gateway-api");
  });

  test("a test of another area, or with a reason against it, has no group", () => {
    expect(groupOf("[sig-windows] Hybrid cluster network")).toBeUndefined();
    expect(groupOf("[sig-apps] Job should run [Flaky]")).toBeUndefined();
    expect(reasonAgainst("[sig-apps] Job should run [Flaky]")).toBe("Upstream doubts them");
    expect(reasonAgainst("[sig-apps] Job should run")).toBeUndefined();
  });

  test("no two have one name", () => {
    expect(new Set(GROUPS).size).toBe(GROUPS.length);
  });
});

describe("the Gateway API's log", () => {
  const log = `=== RUN   TestConformance
=== RUN   TestConformance/HTTPRouteWeight
=== RUN   TestConformance/HTTPRouteWeight/Requests
    weights.go:10:
        	Error Trace:	weights.go:10
        	Error:      	Received unexpected error
=== RUN   TestConformance/GatewayInfrastructure
--- FAIL: TestConformance (9.00s)
    --- FAIL: TestConformance/HTTPRouteWeight (2.61s)
        --- FAIL: TestConformance/HTTPRouteWeight/Requests (2.00s)
    --- PASS: TestConformance/HTTPRouteMatching (3.20s)
    --- SKIP: TestConformance/GatewayInfrastructure (0.00s)
`;

  test("has one result of each test that was not skipped, and why it failed", () => {
    expect(gatewayResults(log)).toEqual([
      { name: "[gateway-api] HTTPRouteWeight", passed: false, seconds: 3, why: "Received unexpected error" },
      { name: "[gateway-api] HTTPRouteMatching", passed: true, seconds: 3, why: "" },
    ]);
  });
});
