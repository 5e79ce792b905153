import { describe, expect, it } from "vitest";
import type { CoreV1ContainerState, CoreV1ContainerStatus, CoreV1Pod } from "../generated/types.ts";
import { podColumns } from "./pod-columns.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

const status = (name: string, state: CoreV1ContainerState, more: Partial<CoreV1ContainerStatus> = {}) => ({
  name,
  image: "x",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const running = { running: {} };
const ended = (exitCode: number, reason = "") => ({ terminated: { exitCode, reason } });

function cells(pod: Partial<CoreV1Pod>): Record<string, unknown> {
  const whole: CoreV1Pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c" }] }, ...pod };
  return Object.fromEntries(podColumns.map(({ name, value }) => [name, value(whole, now)]));
}

describe("kubectl get pods shows", () => {
  it("Pending for a pod that nothing has touched", () => {
    expect(cells({ status: { phase: "Pending" } })).toEqual({
      Name: "p",
      Ready: "0/1",
      Status: "Pending",
      Restarts: "0",
      Age: "<unknown>",
      IP: "<none>",
      Node: "<none>",
      "Nominated Node": "<none>",
      "Readiness Gates": "<none>",
    });
  });

  it("why a container waits, and when it last restarted", () => {
    const waiting = status(
      "c",
      { waiting: { reason: "CrashLoopBackOff" } },
      {
        restartCount: 3,
        lastState: { terminated: { exitCode: 1, finishedAt: ago(300) } },
      },
    );
    const shown = cells({ status: { phase: "Running", containerStatuses: [waiting] } });
    expect([shown.Status, shown.Restarts]).toEqual(["CrashLoopBackOff", "3 (5m ago)"]);
  });

  it.each([
    [ended(0, "Completed"), "Completed"],
    [ended(3), "ExitCode:3"],
    [{ terminated: { exitCode: 137, signal: 9 } }, "Signal:9"],
    [ended(1, "Error"), "Error"],
  ])("how a container ended: %j", (state, expected) => {
    expect(cells({ status: { phase: "Failed", containerStatuses: [status("c", state)] } }).Status).toBe(expected);
  });

  it("NotReady while one container runs on without the others", () => {
    const containerStatuses = [status("c", ended(0, "Completed")), status("d", running, { ready: true })];
    expect(cells({ status: { phase: "Running", containerStatuses } }).Status).toBe("NotReady");
    const conditions = [{ type: "Ready", status: "True" }];
    expect(cells({ status: { phase: "Running", containerStatuses, conditions } }).Status).toBe("Running");
  });

  const spec = {
    containers: [{ name: "c" }],
    initContainers: [{ name: "i" }, { name: "side", restartPolicy: "Always" }, { name: "j" }],
  };
  it.each([
    [[status("i", running), status("side", {})], "Init:0/3", "0/2"],
    [[status("i", ended(1, "Error"))], "Init:Error", "0/2"],
    [[status("i", { waiting: { reason: "ImagePullBackOff" } })], "Init:ImagePullBackOff", "0/2"],
    [
      [status("i", ended(0)), status("side", running, { started: true, ready: true }), status("j", running)],
      "Init:2/3",
      "1/2",
    ],
  ])("how far init containers are", (initContainerStatuses, text, ready) => {
    const shown = cells({ spec, status: { phase: "Pending", initContainerStatuses } });
    expect([shown.Status, shown.Ready]).toEqual([text, ready]);
  });

  it("Terminating for what is being deleted, unless it has ended", () => {
    const metadata = { name: "p", deletionTimestamp: ago(1) };
    expect(cells({ metadata, status: { phase: "Running" } }).Status).toBe("Terminating");
    expect(cells({ metadata, status: { phase: "Succeeded" } }).Status).toBe("Succeeded");
    expect(cells({ metadata, status: { phase: "Running", reason: "NodeLost" } }).Status).toBe("Unknown");
  });

  it("SchedulingGated for a pod that may not be placed yet", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }];
    expect(cells({ status: { phase: "Pending", conditions } }).Status).toBe("SchedulingGated");
  });

  it("how many readiness gates are met", () => {
    const readinessGates = [{ conditionType: "a" }, { conditionType: "b" }];
    const conditions = [{ type: "a", status: "True" }];
    const shown = cells({ spec: { containers: [], readinessGates }, status: { conditions } });
    expect(shown["Readiness Gates"]).toBe("1/2");
  });
});
