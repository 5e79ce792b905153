import { describe, expect, it } from "vitest";
import { formatResources } from "../../lib/quantity.ts";
import type { CoreV1Container, CoreV1PodSpec } from "../generated/types.ts";
import { podLimits, podRequests, qosClass } from "./pod-resources.ts";

const asks = (cpu: string, more: Partial<CoreV1Container> = {}): CoreV1Container => ({
  name: "c",
  resources: { requests: { cpu } },
  ...more,
});
const sidecar = { restartPolicy: "Always" };
const requests = (spec: CoreV1PodSpec) => formatResources(podRequests({ spec }));

describe("a pod asks for", () => {
  it("what its containers ask for together, and its overhead", () => {
    expect(requests({ containers: [asks("100m"), asks("0.5")], overhead: { cpu: "50m", memory: "1Mi" } })).toEqual({
      cpu: "650m",
      memory: "1Mi",
    });
  });

  it("what its largest init container needs, where that is more", () => {
    expect(requests({ containers: [asks("100m")], initContainers: [asks("2"), asks("1")] })).toEqual({ cpu: "2" });
  });

  it("its sidecars' share all the time, also beside later init containers only", () => {
    const containers = [asks("100m")];
    expect(requests({ containers, initContainers: [asks("1", sidecar), asks("1")] })).toEqual({ cpu: "2" });
    expect(requests({ containers, initContainers: [asks("1"), asks("1", sidecar)] })).toEqual({ cpu: "1100m" });
  });

  it("what it says itself, where it does", () => {
    expect(requests({ containers: [asks("100m")], resources: { requests: { cpu: "3" } } })).toEqual({ cpu: "3" });
  });

  it("limits only where there are some", () => {
    const spec = { containers: [asks("1")], overhead: { cpu: "1" } };
    expect(podLimits({ spec })).toEqual({});
  });
});

describe("a pod's class", () => {
  const both = { cpu: "1", memory: "1Gi" };
  it.each<[string, CoreV1Container["resources"][]]>([
    ["BestEffort", [undefined, { limits: { "example.com/gpu": "1" } }]],
    ["Burstable", [{ requests: { cpu: "1" } }]],
    ["Burstable", [{ limits: both, requests: both }, undefined]],
    ["Burstable", [{ limits: both, requests: { ...both, cpu: "500m" } }]],
    ["Guaranteed", [{ limits: both, requests: { cpu: "1000m", memory: "1024Mi" } }]],
  ])("is %s", (expected, resources) => {
    const containers = resources.map((one, index) => ({ name: `c${index}`, ...(one && { resources: one }) }));
    expect(qosClass({ spec: { containers } })).toBe(expected);
  });
});
