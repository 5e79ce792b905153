import { describe, expect, test } from "vitest";
import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { allocate, allocatedPod } from "./allocation.ts";
import type { NodeContext, PodState } from "./context.ts";
import type { PodMemory } from "./memory.ts";
import { resizePod, settleResize } from "./resizing.ts";
import { computeStatus, statusPatch } from "./status.ts";
import { NOW, someAttempt, someMemory, somePod } from "./testing.ts";

const sized = (cpu: string, memory: string, generation = 1, name = "app"): CoreV1Pod => {
  const amounts = { cpu, memory };
  const containers = [{ name, image: "app:1", resources: { requests: amounts, limits: amounts } }];
  return somePod({ containers }, { generation });
};
const node = { allocatable: { cpu: "2", memory: "2Gi", pods: "110" }, pressures: [], object: undefined };
const asked = (others: CoreV1Pod[] = []) => ({ others: () => others, node: () => node, now: NOW });

/** A pod that was taken as `first` says. */
function taken(first: CoreV1Pod): PodMemory {
  const memory = someMemory(first, {
    app: { current: someAttempt({ resources: first.spec.containers[0]?.resources }), started: true },
  });
  expect(allocate(first, memory, asked())).toEqual({ pod: first });
  return memory;
}

describe("a wish for other resources", () => {
  test("is granted where there is room", () => {
    const memory = taken(sized("100m", "100Mi"));
    const more = sized("200m", "200Mi", 2);
    const { pod, event } = allocate(more, memory, asked());
    expect(pod).toBe(more);
    expect(memory.resize).toEqual({ progress: { generation: 2, since: NOW } });
    expect(event).toEqual({
      type: "Normal",
      reason: "ResizeStarted",
      message:
        'Pod resize started: {"containers":[{"name":"app","resources":{"limits":{"cpu":"200m","memory":"200Mi"},"requests":{"cpu":"200m","memory":"200Mi"}}}],"generation":2}',
    });
  });
  test("waits while others have what it asks for, and the pod runs on with what it has", () => {
    const memory = taken(sized("100m", "100Mi"));
    const more = sized("1500m", "100Mi", 2);
    const { pod, event } = allocate(more, memory, asked([sized("1", "1Gi")]));
    expect(pod.spec.containers[0]?.resources?.requests?.cpu).toBe("100m");
    expect(event?.reason).toBe("ResizeDeferred");
    expect(memory.resize?.pending).toMatchObject({
      reason: "Deferred",
      message: "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
      generation: 2,
    });
    expect(allocate(more, memory, asked([sized("1", "1Gi")])).event).toBeUndefined();
    expect(allocate(more, memory, asked()).event?.reason).toBe("ResizeStarted");
    expect(memory.resize?.pending).toBeUndefined();
  });
  test("is infeasible where the node never had so much", () => {
    const memory = taken(sized("100m", "100Mi"));
    expect(allocate(sized("100m", "3Gi", 2), memory, asked()).event?.reason).toBe("ResizeInfeasible");
    expect(memory.resize?.pending?.message).toBe(
      "Node didn't have enough capacity: memory, requested: 3221225472, capacity: 2147483648",
    );
    allocate(sized("100m", "100Mi", 3), memory, asked());
    expect(memory.resize?.pending).toBeUndefined();
  });
  test("in other words for the same is none", () => {
    const first = sized("100m", "100Mi");
    const memory = taken(first);
    const same = sized("0.1", "102400Ki", 2);
    expect(allocate(same, memory, asked())).toEqual({ pod: same });
    expect(allocatedPod(same, memory.allocated ?? {})).toBe(same);
  });
});

test("conditions tell of a resize, and go with it", () => {
  const memory = taken(sized("100m", "100Mi"));
  const pod = allocate(sized("1500m", "100Mi", 2), memory, asked([sized("1", "1Gi")])).pod;
  const context = { hostIPs: ["192.0.2.1"], now: NOW, deleted: false };
  const waits = computeStatus(pod, memory, context);
  expect(waits.conditions?.[0]).toMatchObject({
    type: "PodResizePending",
    status: "True",
    reason: "Deferred",
    observedGeneration: 2,
  });
  allocate(sized("200m", "100Mi", 3), memory, asked());
  const goesOn = computeStatus(pod, memory, context);
  expect(goesOn.conditions?.[0]).toMatchObject({ type: "PodResizeInProgress", observedGeneration: 3 });
  expect(statusPatch(waits, goesOn).conditions).toContainEqual({ type: "PodResizePending", $patch: "delete" });
});

describe("doing it", () => {
  function machine(usedBytes: number) {
    const did: string[] = [];
    const made = (container?: CoreV1Container) => `make ${Object.values(container?.resources?.limits ?? {}).join(",")}`;
    const context = {
      effects: { now: () => NOW },
      events: { record: (_: CoreV1Pod, type: string, reason: string) => did.push(`${type} ${reason}`) },
      runtime: { update: async (id: string, flags: string[]) => did.push(`update ${id} ${flags.join(" ")}`) },
      host: {
        cgroups: {
          make: (_: string, { spec }: CoreV1Pod) => did.push(made(spec.containers[0])),
          usage: () => ({ memoryBytes: usedBytes, pids: 1 }),
        },
      },
    } as unknown as NodeContext;
    return { did, context };
  }
  test("the pod grows before its containers and shrinks after them", async () => {
    const memory = taken(sized("100m", "100Mi"));
    const { did, context } = machine(0);
    const resize = async (wanted: CoreV1Pod) => {
      const state = { uid: "u1", memory, pod: allocate(wanted, memory, asked()).pod } as PodState;
      await resizePod(context, state, ["app"]);
      settleResize(context, state);
      expect(did.pop()).toBe("Normal ResizeCompleted");
      return did.splice(0).map((what) => what.split(" ").slice(0, 2).join(" "));
    };
    expect(await resize(sized("200m", "200Mi", 2))).toEqual(["make 200m,200Mi", "update c1", "make 200m,200Mi"]);
    expect(await resize(sized("300m", "100Mi", 3))).toEqual(["make 300m,200Mi", "update c1", "make 300m,100Mi"]);
    expect(memory.resize).toBeUndefined();
  });
  test("memory that is in use is not taken away", async () => {
    const memory = taken(sized("100m", "100Mi"));
    const { did, context } = machine(50 * 2 ** 20);
    const state = { uid: "u1", memory, pod: allocate(sized("100m", "10Mi", 2), memory, asked()).pod } as PodState;
    expect(await resizePod(context, state, ["app"])).toBe(false);
    expect(did).toEqual(["Warning ResizeError"]);
    expect(memory.resize?.progress).toMatchObject({
      reason: "Error",
      message:
        'cannot decrease memory limits: [attempting to set pod memory limit (10485760) below current usage (52428800), attempting to set container "app" memory limit (10485760) below current usage (52428800)]',
    });
    settleResize(context, state);
    expect(memory.resize?.progress?.reason).toBe("Error");
  });
});
