import { describe, expect, test } from "vitest";
import { effects } from "../effects.ts";
import type { Ended } from "../pods/memory.ts";
import { someMemory, somePod } from "../pods/testing.ts";
import { Eviction } from "./eviction.ts";
import type { StorageUsage } from "./local-storage.ts";
import type { PodUsage } from "./ranking.ts";
import { type KubeletConfiguration, settingsOf } from "./settings.ts";
import type { Observations } from "./thresholds.ts";
import type { MeasuredPod } from "./usage.ts";

const MIB = 1024 * 1024;

function measured(name: string, memory: string, given: { priority?: number; storage?: string } = {}): MeasuredPod {
  const resources = {
    requests: { memory },
    ...(given.storage ? { limits: { "ephemeral-storage": given.storage } } : {}),
  };
  const pod = somePod(
    { containers: [{ name: "a", resources }], priority: given.priority, terminationGracePeriodSeconds: 60 },
    { name, uid: name },
  );
  return { pod, memory: { ...someMemory(pod), uid: name } };
}

function node(configuration: KubeletConfiguration, pods: MeasuredPod[], memoryOf: Record<string, number> = {}) {
  const observed: Observations = { "memory.available": { available: 1000 * MIB, capacity: 2000 * MIB } };
  const storage = new Map<string, StorageUsage>();
  const state = { observed, storage, now: 0, reclaims: 0, measured: 0, reclaimed: () => {} };
  const ended = new Map<string, Ended>();
  const told: string[] = [];
  const usageOf = ({ memory: { uid } }: MeasuredPod): PodUsage => ({
    memoryBytes: (memoryOf[uid] ?? 0) * MIB,
    diskBytes: 0,
    inodes: 0,
    pids: 0,
    containers: new Map(),
  });
  const eviction = new Eviction({
    settings: settingsOf(configuration),
    effects: { ...effects, now: () => state.now },
    observe: () => state.observed,
    pods: () => pods.filter(({ memory }) => !ended.has(memory.uid)),
    usage: {
      measure: async (list) => new Map(list.map((each) => [each.memory.uid, usageOf(each)])),
      async storage() {
        state.measured++;
        return state.storage;
      },
    },
    isRunning: () => false,
    end: (uid, verdict) => ended.set(uid, verdict),
    async reclaimDisk() {
      state.reclaims++;
      state.reclaimed();
    },
    tellPod: (pod, reason) => told.push(`${pod.metadata.name}: ${reason}`),
    tellNode: (_, reason, message) => told.push(`${reason}: ${message}`),
    onChange: () => told.push(`now: ${eviction.pressures}`),
    log: () => {},
  });
  return { eviction, state, ended, told };
}

describe("a node that is short of memory", () => {
  const configuration = { evictionHard: { "memory.available": "100Mi" } };

  test("ends one pod at a time, with hardly any grace, until there is enough", async () => {
    const pods = [measured("tight", "500Mi"), measured("greedy", "10Mi"), measured("greedier", "10Mi")];
    const { eviction, state, ended, told } = node(configuration, pods, { tight: 400, greedy: 50, greedier: 90 });
    expect(await eviction.look()).toEqual([]);
    state.observed = { "memory.available": { available: 50 * MIB, capacity: 2000 * MIB } };
    expect(await eviction.look()).toEqual(["greedier"]);
    expect(eviction.pressures).toEqual(["MemoryPressure"]);
    expect(ended.get("greedier")).toMatchObject({
      reason: "Evicted",
      message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ",
      graceSeconds: 1,
      disruption: { reason: "TerminationByKubelet" },
    });
    expect(told).toEqual([
      "now: MemoryPressure",
      "EvictionThresholdMet: Attempting to reclaim memory",
      "greedier: Evicted",
    ]);
    expect(await eviction.look()).toEqual(["greedy"]);
    state.observed = { "memory.available": { available: 500 * MIB, capacity: 2000 * MIB } };
    expect(await eviction.look()).toEqual([]);
    expect(eviction.pressures).toEqual(["MemoryPressure"]);
    state.now = 300_000;
    await eviction.look();
    expect(eviction.pressures).toEqual([]);
  });

  test("spares what the system needs", async () => {
    const pods = [measured("critical", "1Mi", { priority: 2_000_001_000 }), measured("other", "1Mi")];
    const { eviction, state, ended } = node(configuration, pods, { critical: 900, other: 0 });
    state.observed = { "memory.available": { available: 1, capacity: 2000 * MIB } };
    expect(await eviction.look()).toEqual(["other"]);
    expect(await eviction.look()).toEqual([]);
    expect(ended.has("critical")).toBe(false);
  });

  test("gives a pod at a soft threshold as much grace as it may", async () => {
    const soft = {
      evictionHard: {},
      evictionSoft: { "memory.available": "100Mi" },
      evictionSoftGracePeriod: { "memory.available": "1m" },
      evictionMaxPodGracePeriod: 20,
    };
    const { eviction, state, ended } = node(soft, [measured("p", "1Mi")]);
    state.observed = { "memory.available": { available: 1, capacity: 2000 * MIB } };
    expect(await eviction.look()).toEqual([]);
    state.now = 60_000;
    expect(await eviction.look()).toEqual(["p"]);
    expect(ended.get("p")?.graceSeconds).toBe(20);
  });
});

describe("a node that is short of disk", () => {
  const configuration = { evictionHard: { "nodefs.available": "10%" } };
  const disk = (available: number): Observations => ({ "nodefs.available": { available, capacity: 1000 } });

  test("gives back what nobody needs before any pod goes", async () => {
    const { eviction, state, ended } = node(configuration, [measured("p", "1Mi")]);
    state.observed = disk(50);
    state.reclaimed = () => {
      state.observed = disk(500);
    };
    expect(await eviction.look()).toEqual([]);
    expect(state.reclaims).toBe(1);
    expect(ended.size).toBe(0);
    state.observed = disk(50);
    state.reclaimed = () => {};
    expect(await eviction.look()).toEqual(["p"]);
  });
});

test("a pod that writes more than it may goes for that alone, and others are not measured", async () => {
  const pods = [measured("bounded", "1Mi", { storage: "10Mi" }), measured("free", "1Mi")];
  const { eviction, state, ended } = node({ evictionHard: {} }, pods);
  await eviction.look();
  expect(state.measured).toBe(1);
  state.storage.set("bounded", { total: 11 * MIB, containers: new Map(), volumes: new Map() });
  state.now = 10_000;
  expect(await eviction.look()).toEqual(["bounded"]);
  expect(ended.get("bounded")).toEqual({
    reason: "Evicted",
    message: "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ",
    graceSeconds: 1,
  });
  await eviction.look();
  expect(state.measured).toBe(2);
});
