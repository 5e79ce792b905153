import { describe, expect, test } from "vitest";
import type { CoreV1ContainerPort } from "../../worker/kinds/generated/types.ts";
import { rejection } from "./admission.ts";
import { somePod } from "./testing.ts";

const allocatable = { cpu: "2", memory: "1Gi", "ephemeral-storage": "10Gi" };
const asking = (cpu: string) => somePod({ containers: [{ name: "a", image: "i", resources: { requests: { cpu } } }] });
const listening = (port: Partial<CoreV1ContainerPort>) =>
  somePod({ containers: [{ name: "a", image: "i", ports: [{ containerPort: 80, ...port }] }] });

describe("a node takes a pod", () => {
  test("for whose requests there is room", () => {
    expect(rejection(asking("500m"), [asking("1"), asking("500m")], allocatable)).toBeUndefined();
    expect(rejection(asking("501m"), [asking("1"), asking("500m")], allocatable)).toEqual({
      reason: "OutOfcpu",
      message: "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
    });
  });

  test("that asks for nothing, however full it is", () => {
    expect(rejection(somePod(), [asking("5")], allocatable)).toBeUndefined();
  });

  test.each([
    [{ hostPort: 81 }, true],
    [{ hostPort: 80, protocol: "UDP" }, true],
    [{ hostPort: 80, hostIP: "10.0.0.2" }, true],
    [{}, true],
    [{ hostPort: 80, hostIP: "10.0.0.1" }, false],
    [{ hostPort: 80 }, false],
  ])("whose host port is free: %j beside 10.0.0.1:80 is taken %s", (port, taken) => {
    const verdict = rejection(listening(port), [listening({ hostPort: 80, hostIP: "10.0.0.1" })], allocatable);
    expect(verdict?.reason).toBe(taken ? undefined : "NodePorts");
  });
});
