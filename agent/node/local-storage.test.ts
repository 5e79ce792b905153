import { describe, expect, test } from "vitest";
import type { CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { somePod } from "../pods/testing.ts";
import { isStorageLimited, type StorageUsage, storageExcess } from "./local-storage.ts";

const MIB = 1024 * 1024;
const limited = (limit: string): CoreV1PodSpec["containers"][number] => ({
  name: "a",
  resources: { limits: { "ephemeral-storage": limit } },
});
const scratch = (sizeLimit?: string, medium?: string) => [{ name: "scratch", emptyDir: { sizeLimit, medium } }];
const used = (container: number, volume: number): StorageUsage => ({
  total: (container + volume) * MIB,
  containers: new Map([["a", container * MIB]]),
  volumes: new Map([["scratch", volume * MIB]]),
});

describe("a pod that wrote too much is told which limit it broke", () => {
  test.each<[string, Partial<CoreV1PodSpec>, StorageUsage, string | undefined]>([
    [
      "a volume's",
      { volumes: scratch("10Mi") },
      used(0, 11),
      'Usage of EmptyDir volume "scratch" exceeds the limit "10Mi". ',
    ],
    [
      "the pod's",
      { containers: [limited("10Mi")], volumes: scratch() },
      used(5, 6),
      "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ",
    ],
    [
      "a container's",
      { containers: [limited("10Mi"), { ...limited("90Mi"), name: "b" }] },
      used(11, 0),
      'Container a exceeded its local ephemeral storage limit "10Mi". ',
    ],
    ["none", { containers: [limited("10Mi")], volumes: scratch("10Mi") }, used(4, 6), undefined],
    ["none, without limits", { volumes: scratch() }, used(5000, 5000), undefined],
  ])("%s", (_, spec, usage, message) => {
    expect(storageExcess(somePod(spec), usage)).toBe(message);
  });
});

test("pods without limits, or with limits of memory only, are not measured", () => {
  expect(isStorageLimited(somePod({ volumes: scratch() }))).toBe(false);
  expect(isStorageLimited(somePod({ volumes: scratch("1Mi", "Memory") }))).toBe(false);
  expect(isStorageLimited(somePod({ volumes: scratch("1Mi") }))).toBe(true);
  expect(isStorageLimited(somePod({ containers: [limited("1Gi")] }))).toBe(true);
});
