import { describe, expect, it } from "vitest";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { EnsuredImage } from "../images/images.ts";
import type { NodeContext, PodState } from "./context.ts";
import { newMemory } from "./memory.ts";
import { startContainer } from "./starting.ts";
import { computeStatus } from "./status.ts";

const container = { name: "c", image: "app:1" };
const pod: CoreV1Pod = { metadata: { name: "p", namespace: "ns", uid: "u" }, spec: { containers: [container] } };

/** A machine whose runtime refuses to run anything. */
function refusing(message: string): NodeContext {
  const node = {
    nodeName: "n",
    hostIPs: () => ["192.0.2.1"],
    runtime: {},
    events: { record: () => undefined },
    effects: { now: () => 1000, uid: () => "chance" },
    desired: () => ({ pods: new Map(), configMaps: new Map(), secrets: new Map(), services: [] }),
    host: {
      memoryBytes: 1,
      allocatable: () => ({}),
      files: { messageFile: () => "", names: () => [] },
      volumes: { mountsOf: async () => [] },
      cgroups: { parentOf: () => "/pods", make: () => {} },
      security: {
        settings: { seccompDefault: false },
        runtimes: { of: () => "runc" },
        namespaces: { open: async () => ({ ipc: "host", uts: "host", shm: "/dev/shm" }) },
        userOf: () => undefined,
      },
      runtimeLimits: { version: 1, swap: false, pageSizes: [] },
      runKept: () => Promise.reject(new Error(message)),
    },
  };
  return node as unknown as NodeContext;
}

describe("startContainer", () => {
  async function refused(why: string) {
    const memory = newMemory(pod, 0);
    memory.sandbox = { id: "s", number: 0, running: true };
    const state = { uid: "u", pod, memory, fresh: { made: [], removed: [] } } as unknown as PodState;
    const image: EnsuredImage = { Id: "sha256:1", Config: {}, reference: "app:1", name: "docker.io/library/app:1" };
    const step = { do: "startContainer", container: "c", kind: "app", number: 0 } as const;
    expect(await startContainer(refusing(why), state, step, container, image, new Map())).toBe(false);
    const status = computeStatus(pod, memory, { hostIPs: ["192.0.2.1"], now: 1000, deleted: false });
    return status.containerStatuses?.[0];
  }
  it("says why a container waits that the runtime does not make", async () => {
    const status = await refused("no such mount");
    expect(status?.state).toEqual({ waiting: { reason: "CreateContainerError", message: "no such mount" } });
    expect(status?.lastState).toEqual({});
  });
  it("says why one waits that was made and did not start", async () => {
    const status = await refused("failed to create shim task: no such program");
    const message = "failed to create containerd task: failed to create shim task: no such program";
    expect(status?.state).toEqual({ waiting: { reason: "RunContainerError", message } });
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 128, reason: "StartError", message });
  });
});
