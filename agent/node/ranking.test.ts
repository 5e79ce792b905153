import { describe, expect, test } from "vitest";
import type { CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { somePod } from "../pods/testing.ts";
import { evictionMessage, inEvictionOrder, type PodUsage } from "./ranking.ts";
import { parseThresholds } from "./thresholds.ts";

const MIB = 1024 * 1024;
const using = (given: Partial<PodUsage>): PodUsage => ({
  memoryBytes: 0,
  diskBytes: 0,
  inodes: 0,
  pids: 0,
  containers: new Map(),
  ...given,
});
const pod = (name: string, request: Record<string, string>, spec: Partial<CoreV1PodSpec> = {}) =>
  somePod({ containers: [{ name: "a", resources: { requests: request } }], ...spec }, { name });

describe("who goes first", () => {
  const names = (ranked: ReturnType<typeof inEvictionOrder>) => ranked.map((r) => r.pod.metadata.name);

  test("who uses more memory than it asked for, then who matters least, then who uses most above it", () => {
    const mib = (amount: number) => using({ memoryBytes: amount * MIB });
    const order = inEvictionOrder(
      [
        { pod: pod("within", { memory: "500Mi" }), usage: mib(400) },
        { pod: pod("within-low", { memory: "500Mi" }, { priority: -1 }), usage: mib(10) },
        { pod: pod("over-a-little", { memory: "100Mi" }), usage: mib(110) },
        { pod: pod("over-much", { memory: "10Mi" }), usage: mib(90) },
        { pod: pod("over-important", { memory: "10Mi" }, { priority: 1000 }), usage: mib(900) },
        { pod: pod("unknown", {}), usage: undefined },
      ],
      "memory",
    );
    expect(names(order)).toEqual(["unknown", "over-much", "over-a-little", "over-important", "within-low", "within"]);
  });

  test("nobody asks for processes: priority decides, then how many there are", () => {
    const order = inEvictionOrder(
      [
        { pod: pod("few", {}), usage: using({ pids: 5 }) },
        { pod: pod("many", {}), usage: using({ pids: 500 }) },
        { pod: pod("many-important", {}, { priority: 1 }), usage: using({ pids: 900 }) },
      ],
      "pids",
    );
    expect(names(order)).toEqual(["many", "few", "many-important"]);
  });

  test("disk counts against what was asked for of it", () => {
    const order = inEvictionOrder(
      [
        { pod: pod("asked", { "ephemeral-storage": "1Gi" }), usage: using({ diskBytes: 500 * MIB }) },
        { pod: pod("asked-nothing", {}), usage: using({ diskBytes: MIB }) },
      ],
      "ephemeral-storage",
    );
    expect(names(order)).toEqual(["asked-nothing", "asked"]);
  });
});

describe("what is said of it", () => {
  const statements = { soft: {}, gracePeriods: {}, minimumReclaim: {}, enforcesAllocatable: false };

  test("names the threshold, and the containers that use more than they asked for", () => {
    const due = parseThresholds({ ...statements, hard: { "memory.available": "2Gi" } });
    const containers = new Map([["a", { memoryBytes: 300 * MIB, diskBytes: 0, inodes: 0 }]]);
    const observations = { "memory.available": { available: 100 * MIB, capacity: 0 } };
    const usage = using({ memoryBytes: 300 * MIB, containers });
    expect(evictionMessage({ pod: pod("p", { memory: "64Mi" }), usage }, "memory", due, observations)).toBe(
      "The node was low on resource: memory. Threshold quantity: 2Gi, available: 100Mi. Container a was using 300Mi, request is 64Mi, has larger consumption of memory. ",
    );
    expect(evictionMessage({ pod: pod("p", { memory: "1Gi" }), usage }, "memory", due, observations)).toBe(
      "The node was low on resource: memory. Threshold quantity: 2Gi, available: 100Mi. ",
    );
  });

  test("tells of the pod where it asked as a whole", () => {
    const whole = pod("p", {}, { resources: { requests: { memory: "64Mi" } } });
    const message = evictionMessage({ pod: whole, usage: using({ memoryBytes: 100 * MIB }) }, "memory", [], {});
    expect(message).toBe(
      "The node was low on resource: memory. Pod p was using 100Mi, request is 64Mi, has larger consumption of memory. ",
    );
  });

  test("counts inodes without units", () => {
    const due = parseThresholds({ ...statements, hard: { "nodefs.inodesFree": "5%" } });
    const observations = { "nodefs.inodesFree": { available: 4000, capacity: 100_000 } };
    expect(evictionMessage({ pod: pod("p", {}), usage: using({ inodes: 9 }) }, "inodes", due, observations)).toBe(
      "The node was low on resource: inodes. Threshold quantity: 5000, available: 4k. ",
    );
  });
});
