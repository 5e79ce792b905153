import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { somePod } from "../pods/testing.ts";
import type { CsiDriver } from "./driver.ts";
import { type CsiVolume, CsiVolumes, placesOf } from "./volumes.ts";

const VOLUME: CsiVolume = {
  name: "pv",
  lifecycle: "Persistent",
  driver: "hostpath",
  handle: "h1",
  attributes: {},
  fsType: "",
  accessModes: ["ReadWriteOnce"],
  options: [],
  isBlock: true,
  readOnly: false,
};
const NAME = "kubernetes.io/csi/hostpath^h1";
const user = { pod: somePod(), token: async () => "" };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "csi-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function node({ isAttached = () => true }: { isAttached?(): boolean } = {}) {
  const asked: string[] = [];
  const logged: string[] = [];
  const asks = (what: string) => async () => void asked.push(what);
  const driver = {
    name: "hostpath",
    can: async (capability: number) => capability === 1,
    ...{ stage: asks("stage"), publish: asks("publish"), unpublish: asks("unpublish"), unstage: asks("unstage") },
  } as unknown as CsiDriver;
  const volumes = new CsiVolumes({
    root: join(home, "kubelet"),
    home,
    node: "node-a",
    api: async (_method, path) => {
      if (!path.includes("/volumeattachments/")) return { code: 404, body: null };
      return { code: 200, body: { metadata: {}, status: { attached: isAttached() } } };
    },
    timers: { sleep: async () => {}, after: () => () => {} },
    driver: () => driver,
    log: (message) => logged.push(message),
  });
  return { volumes, asked, logged };
}

/** As a machine leaves it that stops in the middle. */
function tear(): string {
  const folder = join(home, "pods/u1/csi");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "pv.json"), "");
  writeFileSync(join(folder, "other.json.new"), '{"target":');
  return join(folder, "pv.json");
}

test("a volume that a pod has is known on disk until its driver has taken it back", async () => {
  const { volumes, asked } = node();
  await volumes.mount(VOLUME, user);
  expect(volumes.inUse()).toEqual([NAME]);
  expect(placesOf(home)).toEqual([expect.stringContaining("publish"), expect.stringContaining("staging")]);
  expect(readdirSync(join(home, "pods/u1/csi"))).toEqual(["pv.json"]);
  await volumes.release("u1");
  expect(asked).toEqual(["stage", "publish", "unpublish", "unstage"]);
  expect(volumes.inUse()).toEqual([]);
});

test("the cluster is told that a volume is in use before it is staged", async () => {
  const { volumes, asked } = node();
  volumes.onChange = async () => {
    await Promise.resolve();
    asked.push(`told of ${volumes.inUse()}`);
    return true;
  };
  await volumes.mount(VOLUME, user);
  expect(asked).toEqual([`told of ${NAME}`, "stage", "publish"]);
});

test("a volume that is detached until the cluster knows that it is in use is not staged, nor one that it cannot be told of", async () => {
  let attached = true;
  const { volumes, asked } = node({ isAttached: () => attached });
  volumes.onChange = async () => {
    attached = false;
    return true;
  };
  await expect(volumes.mount(VOLUME, user)).rejects.toThrow("timed out waiting for the condition");
  attached = true;
  volumes.onChange = async () => false;
  await expect(volumes.mount(VOLUME, user)).rejects.toThrow(
    'volume "pv" has not been added to the list of VolumesInUse in the node\'s volume status',
  );
  expect(asked).toEqual([]);
  volumes.onChange = async () => true;
  await volumes.mount(VOLUME, user);
  expect(asked).toEqual(["stage", "publish"]);
});

test("a record that was torn keeps neither the node from telling nor its pod from ending", async () => {
  const { volumes, logged } = node();
  const file = tear();
  expect(volumes.inUse()).toEqual([]);
  expect(volumes.inUse()).toEqual([]);
  expect(placesOf(home)).toEqual([]);
  expect(logged).toEqual([`${file} cannot be read`]);
  const volume = { metadata: { name: "pv" }, spec: { csi: { driver: "hostpath", volumeHandle: "h1" } } };
  expect(await volumes.expand(volume, 1)).toBe(false);
  await volumes.release("u1");
});

test("a record that was torn is made anew with its volume", async () => {
  const { volumes } = node();
  tear();
  await volumes.mount(VOLUME, user);
  expect(volumes.inUse()).toEqual([NAME]);
});

test("who waits for a volume that is not attached asks less and less often", async () => {
  let attached = false;
  const { volumes } = node({ isAttached: () => attached });
  const pauses: unknown[] = [volumes.pauseMs("u1")];
  for (let times = 0; times < 6; times++) {
    await expect(volumes.mount(VOLUME, user)).rejects.toThrow("timed out waiting for the condition");
    pauses.push(volumes.pauseMs("u1"));
  }
  expect(pauses).toEqual([undefined, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]);
  expect(volumes.pauseMs("u2")).toBeUndefined();
  attached = true;
  await volumes.mount(VOLUME, user);
  expect(volumes.pauseMs("u1")).toBeUndefined();
});
