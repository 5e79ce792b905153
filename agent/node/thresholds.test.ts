import { describe, expect, test } from "vitest";
import { milliseconds } from "../durations.ts";
import { settingsOf } from "./settings.ts";
import {
  amountOf,
  lookAtPressure,
  noPressure,
  type Observations,
  type PressureState,
  parseThresholds,
  type ThresholdStatements,
} from "./thresholds.ts";

const MIB = 1024 * 1024;
const statements = (given: Partial<ThresholdStatements>): ThresholdStatements => ({
  hard: {},
  soft: {},
  gracePeriods: {},
  minimumReclaim: {},
  enforcesAllocatable: false,
  ...given,
});
const memory = (available: number): Observations => ({ "memory.available": { available, capacity: 1024 * MIB } });

describe("what an administrator says of thresholds", () => {
  test("amounts and shares, and what is switched off", () => {
    const hard = { "memory.available": "100Mi", "nodefs.available": "10%", "imagefs.available": "0%" };
    const [first, second, third] = parseThresholds(statements({ hard }));
    expect(first && amountOf(first.value, 0)).toBe(100 * MIB);
    expect(second && amountOf(second.value, 1000)).toBe(100);
    expect(third).toBeUndefined();
  });

  test.each([
    [{ hard: { "disk.full": "1" } }, "unsupported eviction signal disk.full"],
    [{ hard: { "memory.available": "-1" } }, "eviction threshold memory.available must be positive: -1"],
    [{ hard: { "nodefs.available": "101%" } }, "eviction percentage threshold nodefs.available must be <= 100%: 101%"],
    [
      { soft: { "memory.available": "1Gi" } },
      "grace period must be specified for the soft eviction threshold memory.available",
    ],
    [
      { minimumReclaim: { "memory.available": "0%" } },
      "eviction percentage minimum reclaim memory.available must be positive: 0%",
    ],
  ])("is refused in the kubelet's words: %j", (given, message) => {
    expect(() => parseThresholds(statements(given))).toThrow(message);
  });

  test("memory's hard threshold holds for all pods together as well", () => {
    const { thresholds } = settingsOf({ evictionHard: { "memory.available": "1Gi" } });
    expect(thresholds.map(({ signal }) => signal)).toEqual(["memory.available", "allocatableMemory.available"]);
  });

  test("one hard threshold replaces all defaults, unless they are to stay", () => {
    const signals = (given: Parameters<typeof settingsOf>[0]) => settingsOf(given).thresholds.map((t) => t.signal);
    expect(signals({})).toContain("nodefs.inodesFree");
    expect(signals({ evictionHard: { "pid.available": "10%" } })).toEqual(["pid.available"]);
    expect(signals({ evictionHard: { "pid.available": "10%" }, mergeDefaultEvictionSettings: true })).toContain(
      "nodefs.available",
    );
  });

  test("durations are Go's", () => {
    expect(milliseconds("1m30s")).toBe(90_000);
    expect(() => milliseconds("soon")).toThrow('time: invalid duration "soon"');
  });
});

describe("looking at pressure", () => {
  const thresholds = parseThresholds(
    statements({
      hard: { "memory.available": "100Mi", "nodefs.available": "10%" },
      soft: { "memory.available": "200Mi" },
      gracePeriods: { "memory.available": "30s" },
      minimumReclaim: { "memory.available": "50Mi" },
    }),
  );
  const look = (observations: Observations, state: PressureState, now: number) =>
    lookAtPressure(thresholds, observations, state, now, 300_000);

  test("a hard threshold is due at once, memory before all else", () => {
    const full = { ...memory(50 * MIB), "nodefs.available": { available: 1, capacity: 100 } };
    const { due, pressures } = look(full, noPressure, 0);
    expect(due.map(({ signal }) => signal)).toEqual(["memory.available", "nodefs.available"]);
    expect(pressures.toSorted()).toEqual(["DiskPressure", "MemoryPressure"]);
  });

  test("a soft one tells of pressure at once and is due after its grace", () => {
    const first = look(memory(150 * MIB), noPressure, 0);
    expect(first.pressures).toEqual(["MemoryPressure"]);
    expect(first.due).toEqual([]);
    expect(look(memory(150 * MIB), first.state, 29_000).due).toEqual([]);
    expect(look(memory(150 * MIB), first.state, 30_000).due).toHaveLength(1);
  });

  test("what was met counts until its minimum is reclaimed", () => {
    const met = look(memory(90 * MIB), noPressure, 0);
    expect(look(memory(120 * MIB), met.state, 1).due.map(({ graceMs }) => graceMs)).toContain(0);
    expect(look(memory(160 * MIB), met.state, 1).due).toEqual([]);
  });

  test("a condition outlives its cause by the transition period", () => {
    const met = look(memory(50 * MIB), noPressure, 0);
    const well = look(memory(900 * MIB), met.state, 299_999);
    expect(well.pressures).toEqual(["MemoryPressure"]);
    expect(well.due).toEqual([]);
    expect(look(memory(900 * MIB), well.state, 300_000).pressures).toEqual([]);
  });

  test("what cannot be observed is not judged", () => {
    expect(look({}, noPressure, 0).due).toEqual([]);
  });
});
