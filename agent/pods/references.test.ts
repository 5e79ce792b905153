import { expect, test } from "vitest";
import type { CoreV1PersistentVolume, CoreV1PersistentVolumeClaim } from "../../worker/kinds/generated/types.ts";
import { nothingDesired } from "../desired.ts";
import { referencesKey } from "./references.ts";
import { somePod } from "./testing.ts";

test("a pod that waits for a volume is tried again when it is attached, others are not", () => {
  const pod = somePod({ volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] });
  const claim: CoreV1PersistentVolumeClaim = { metadata: { name: "data" }, spec: { volumeName: "pv" } };
  const volume: CoreV1PersistentVolume = {
    metadata: { name: "pv" },
    spec: { csi: { driver: "hostpath", volumeHandle: "h1" } },
  };
  const key = (...attached: string[]) =>
    referencesKey(pod, {
      ...nothingDesired,
      claims: new Map([["default/data", claim]]),
      persistentVolumes: new Map([["/pv", volume]]),
      attached: new Set(attached),
    });
  expect(key("kubernetes.io/csi/hostpath^h1")).not.toBe(key());
  expect(key("kubernetes.io/csi/hostpath^h2")).toBe(key());
});
