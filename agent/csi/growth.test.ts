import { expect, test } from "vitest";
import type { CoreV1PersistentVolume, CoreV1PersistentVolumeClaim } from "../../worker/kinds/generated/types.ts";
import { somePod } from "../pods/testing.ts";
import { Growth, usesClaim } from "./growth.ts";

const volume: CoreV1PersistentVolume = {
  metadata: { name: "pv" },
  spec: { capacity: { storage: "2Gi" }, csi: { driver: "hostpath", volumeHandle: "h1" } },
};
const claim = {
  metadata: { name: "data", namespace: "default" },
  spec: { volumeName: "pv" },
  status: { conditions: [{ type: "FileSystemResizePending", status: "True" }] },
} as CoreV1PersistentVolumeClaim;

function node(expand: (bytes: number) => Promise<boolean>) {
  const told: string[] = [];
  const patched: unknown[] = [];
  const timers: { ms: number; body: () => void }[] = [];
  const growth = new Growth({
    node: "node-a",
    api: async (_method, _path, body) => {
      patched.push(body);
      return { code: 200, body: {} };
    },
    timers: {
      after: (ms, body) => {
        timers.push({ ms, body });
        return () => {};
      },
    },
    expand: (_volume, bytes) => expand(bytes),
    log: () => {},
  });
  growth.onGrown = (_claim, reason, message) => told.push(`${reason}: ${message}`);
  growth.onFailure = (_claim, reason, message) => told.push(`${reason}: ${message}`);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const sync = () => {
    growth.sync([claim], [volume]);
    return settle();
  };
  return { told, patched, timers, sync, settle };
}

test("a file system that has grown is told of, and its claim", async () => {
  const asked: number[] = [];
  const { told, patched, sync } = node(async (bytes) => asked.push(bytes) > 0);
  await sync();
  expect(asked).toEqual([2 ** 31]);
  expect(told).toEqual(['FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "pv" node-a']);
  expect(patched).toMatchObject([{ status: { capacity: { storage: "2Gi" }, conditions: [] } }]);
});

test("one that its driver does not let grow is told of, and tried again less and less often", async () => {
  let asked = 0;
  const { told, timers, sync, settle } = node(async () => {
    asked++;
    throw new Error("device is busy");
  });
  await sync();
  for (let tries = 1; tries < 7; tries++) {
    await sync(); // what else happens is no reason to try again
    expect(asked).toBe(tries);
    timers[tries - 1]?.body();
    await settle();
  }
  expect(asked).toBe(7);
  expect(timers.map(({ ms }) => ms / 1000)).toEqual([5, 10, 20, 40, 80, 120, 120]);
  expect(told[0]).toBe('VolumeResizeFailed: NodeExpandVolume.NodeExpandVolume failed for volume "pv" : device is busy');
});

test("a claim has the pods of its namespace that name it", () => {
  const pod = somePod({ volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }] });
  expect(usesClaim(pod, claim)).toBe(true);
  expect(usesClaim(somePod(), claim)).toBe(false);
  expect(usesClaim(pod, { ...claim, metadata: { name: "data", namespace: "other" } })).toBe(false);
});
