import { availableParallelism, totalmem } from "node:os";
import { expect, test } from "vitest";
import { milliValue, parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";
import { allocatable, capacity, podsLimits } from "./capacity.ts";
import { settingsOf } from "./settings.ts";

const MIB = 1024 * 1024;
const bytes = (text = "0") => wholeValue(parseQuantity(text));
const settings = settingsOf({
  maxPods: 7,
  kubeReserved: { cpu: "100m", memory: "64Mi", "ephemeral-storage": "1Gi" },
  systemReserved: { memory: "36Mi", pid: "1000" },
  evictionHard: { "memory.available": "50Mi", "nodefs.available": "10%" },
});

test("what is reserved, and what has to stay available, may not be asked for", () => {
  const all = capacity("/", settings);
  const left = allocatable("/", settings);
  expect(left.pods).toBe("7");
  expect(milliValue(parseQuantity(left.cpu))).toBe(availableParallelism() * 1000 - 100);
  const pages = Object.keys(all).filter((name) => name.startsWith("hugepages-"));
  const inPages = pages.reduce((sum, name) => sum + bytes(all[name]), 0);
  expect(bytes(left.memory)).toBe(totalmem() - 150 * MIB - inPages);
  const disk = bytes(all["ephemeral-storage"]);
  const kept = Math.trunc(disk * Math.fround(Math.fround(10) / 100));
  expect(bytes(left["ephemeral-storage"])).toBe(disk - kept - 1024 * MIB);
});

test("all pods together may have what is not reserved: they are evicted before that is reached", () => {
  const { cpuShares, memoryBytes, pids } = podsLimits(settings);
  expect(memoryBytes).toBe(totalmem() - 100 * MIB);
  expect(cpuShares).toBe(Math.floor(((availableParallelism() * 1000 - 100) * 1024) / 1000));
  expect(pids).toBe((podsLimits(settingsOf()).pids ?? 0) - 1000);
  expect(podsLimits(settingsOf({ systemReserved: { memory: "1Gi" }, enforceNodeAllocatable: [] })).memoryBytes).toBe(
    totalmem(),
  );
});

test("more than there is leaves nothing, and what no node has cannot be reserved", () => {
  expect(allocatable("/", settingsOf({ kubeReserved: { memory: "9000Ti" } })).memory).toBe("0");
  expect(() => settingsOf({ kubeReserved: { dongles: "1" } })).toThrow('cannot reserve "dongles" resource');
});
