import { describe, expect, test } from "vitest";
import { podsToPreempt } from "./preemption.ts";
import { somePod } from "./testing.ts";

const MIB = 1024 * 1024;
const critical = somePod({ priority: 2_000_001_000 });
const burstable = (name: string, memory: string, priority?: number) =>
  somePod({ priority, containers: [{ name: "a", resources: { requests: { memory } } }] }, { name });
const guaranteed = (name: string, memory: string) => {
  const list = { cpu: "1", memory };
  return somePod({ containers: [{ name: "a", resources: { requests: list, limits: list } }] }, { name });
};

describe("room for a pod that the system needs", () => {
  const names = (pods: Parameters<typeof podsToPreempt>[1], mib: number) =>
    podsToPreempt(critical, pods, [{ name: "memory", amount: mib * MIB }])?.map(({ metadata }) => metadata.name);

  test("is made by as few pods as possible, the smallest that does", () => {
    const pods = [burstable("small", "100Mi"), burstable("large", "900Mi"), burstable("right", "300Mi")];
    expect(names(pods, 300)).toEqual(["right"]);
    expect(names(pods, 1000)).toEqual(["large", "small"]);
  });

  test("is made by the least guaranteed, where they are enough", () => {
    const pods = [guaranteed("g", "500Mi"), burstable("b", "500Mi")];
    expect(names(pods, 400)).toEqual(["b"]);
    expect(names(pods, 600)).toEqual(["b", "g"]);
  });

  test("is not made by those that the system needs as well, nor in vain", () => {
    expect(names([burstable("also", "500Mi", 2_000_001_000)], 100)).toBeUndefined();
    expect(names([burstable("b", "500Mi")], 600)).toBeUndefined();
  });

  test("a place is a place, whoever has it", () => {
    const pods = [somePod({}, { name: "nothing" }), burstable("b", "1Mi")];
    const found = podsToPreempt(critical, pods, [{ name: "pods", amount: 1 }]);
    expect(found?.map(({ metadata }) => metadata.name)).toEqual(["nothing"]);
  });
});
