import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
} from "../../../worker/kinds/generated/types.ts";
import { effects } from "../../effects.ts";
import { run } from "../../process.ts";
import { type PodContext, Volumes } from "../manager.ts";
import { mountPoints, unmountAll } from "../mounts.ts";
import type { ContainerMount } from "../volume.ts";

const root = mkdtempSync(join(tmpdir(), "skerry-persistent-"));
afterAll(async () => {
  await unmountAll(root);
  rmSync(root, { recursive: true });
});

const home = join(root, "home");
const disk = join(root, "disk");
const images = { mount: async () => {}, unmount: async () => {} };
const fresh = () =>
  new Volumes({ home, api: () => Promise.reject(), now: effects.now, images, recursiveReadOnly: false });
let volumes = fresh();

const claims = new Map<string, CoreV1PersistentVolumeClaim>();
const persistentVolumes = new Map<string, CoreV1PersistentVolume>();
const told: string[] = [];

/** A claim that is bound to a volume of its name. */
function volume(name: string, spec: CoreV1PersistentVolume["spec"]): void {
  const status = { phase: "Bound" };
  claims.set(`default/${name}`, { metadata: { name, uid: name }, spec: { volumeName: name }, status });
  persistentVolumes.set(`/${name}`, { metadata: { name }, spec: { claimRef: { uid: name }, ...spec } });
}

type PodGiven = { readOnly?: boolean; security?: CoreV1Pod["spec"]["securityContext"] };

function pod(claimName: string, { readOnly, security }: PodGiven = {}): CoreV1Pod {
  const volumeMounts = [{ name: "data", mountPath: "/data" }];
  return {
    metadata: { name: claimName, namespace: "default", uid: effects.uid() },
    spec: {
      ...(security && { securityContext: security }),
      volumes: [{ name: "data", persistentVolumeClaim: { claimName, readOnly } }],
      containers: [{ name: "main", image: "app", volumeMounts }],
    },
  };
}

const contextOf = (one: CoreV1Pod): PodContext => ({
  pod: one,
  desired: {
    configMaps: new Map(),
    secrets: new Map(),
    claims,
    persistentVolumes,
    nodeLabels: { "kubernetes.io/hostname": "n" },
  },
  fields: {
    pod: one,
    podIPs: [],
    hostIPs: [],
    nodeName: "n",
    allocatable: { cpu: "2", memory: "1Gi", "ephemeral-storage": "1Gi" },
  },
  tell: (reason, message) => told.push(`${reason}: ${message}`),
});

const prepare = (one: CoreV1Pod) => volumes.prepare(contextOf(one));

/** Where the pod's container finds it, and whether it may only read there. */
async function mounted(one: CoreV1Pod): Promise<ContainerMount> {
  expect(await prepare(one)).toEqual([]);
  const [container] = one.spec.containers;
  const mounts = container ? await volumes.mountsOf(one, container, { env: new Map(), images: new Map() }) : [];
  return mounts[0] ?? { source: "", target: "" };
}

beforeEach(() => {
  volumes = fresh();
  rmSync(disk, { recursive: true, force: true });
  mkdirSync(disk, { recursive: true });
  writeFileSync(join(disk, "file"), "kept");
  told.length = 0;
});

describe("a local volume", () => {
  test("is mounted for each pod, also after a restart, and outlives them", async () => {
    volume("shared", { local: { path: disk } });
    const one = pod("shared");
    const other = pod("shared", { readOnly: true });
    expect(statSync(join((await mounted(one)).source, "file")).size).toBe(4);
    const { source, readOnly } = await mounted(other);
    expect(readOnly).toBe(true);
    expect(() => writeFileSync(join(source, "file"), "changed")).toThrow("EROFS");
    volumes = fresh();
    await mounted(one);
    expect(mountPoints(home)).toHaveLength(2);
    await volumes.release(one.metadata.uid ?? "");
    for (const { metadata } of [one, other]) await volumes.remove(metadata.uid ?? "");
    expect(mountPoints(home)).toEqual([]);
    expect(statSync(join(disk, "file")).size).toBe(4);
  });

  test("belongs to the fsGroup of the first pod that mounts it", async () => {
    symlinkSync("/etc/passwd", join(disk, "link"));
    mkdirSync(join(disk, "folder"), { mode: 0o700 });
    volume("grouped", { local: { path: disk } });
    const owner = (name: string) => {
      const { gid, mode } = statSync(join(disk, name));
      return `${gid} ${(mode & 0o7777).toString(8)}`;
    };
    const first = pod("grouped", { security: { fsGroup: 1234 } });
    const before = statSync("/etc/passwd");
    await mounted(first);
    expect(["", "file", "folder"].map(owner)).toEqual(["1234 2775", "1234 664", "1234 2770"]);
    expect(statSync("/etc/passwd")).toMatchObject({ gid: before.gid, mode: before.mode });
    const second = pod("grouped", { security: { fsGroup: 4321 } });
    await mounted(second);
    expect(told).toEqual([
      "AlreadyMountedVolume: The requested fsGroup is 4321, but the volume grouped has GID 1234. The volume may not be shareable.",
    ]);
    for (const { metadata } of [first, second]) await volumes.remove(metadata.uid ?? "");
    writeFileSync(join(disk, "new"), "");
    const third = pod("grouped", { security: { fsGroup: 1234, fsGroupChangePolicy: "OnRootMismatch" } });
    await mounted(third);
    expect(owner("new")).toBe("1234 644"); // by the folder's setgid alone
    await volumes.remove(third.metadata.uid ?? "");
    const fourth = pod("grouped", { security: { fsGroup: 4321, fsGroupChangePolicy: "OnRootMismatch" } });
    await mounted(fourth);
    expect(owner("new")).toBe("4321 664");
    await volumes.remove(fourth.metadata.uid ?? "");
  });

  test("has the options of its volume", async () => {
    volume("options", { local: { path: disk }, mountOptions: ["noexec", "nodev"] });
    const one = pod("options");
    const { source } = await mounted(one);
    const { stdout } = await run("findmnt", ["-no", "OPTIONS", source]);
    expect(stdout.split(",")).toEqual(expect.arrayContaining(["noexec", "nodev"]));
    await volumes.remove(one.metadata.uid ?? "");
  });

  test("that is for one pod is refused to another until the first is gone", async () => {
    volume("alone", { local: { path: disk }, accessModes: ["ReadWriteOncePod"] });
    const first = pod("alone");
    const second = pod("alone");
    await mounted(first);
    volumes = fresh();
    expect(await prepare(second)).toEqual([
      'MountVolume.SetUp failed for volume "alone" : volume uses the ReadWriteOncePod access mode and is already in use by another pod',
    ]);
    await mounted(first);
    await volumes.remove(first.metadata.uid ?? "");
    await mounted(second);
    await volumes.remove(second.metadata.uid ?? "");
  });
});

describe("a local volume that is a block device", () => {
  let device = "";
  beforeAll(async () => {
    const file = join(root, "device");
    writeFileSync(file, "");
    truncateSync(file, 16 * 1024 * 1024);
    const made = await run("losetup", ["--find", "--show", file]);
    device = made.stdout.trim();
    expect(made).toMatchObject({ code: 0, stderr: "" });
  });
  afterAll(async () => {
    await unmountAll(root);
    if (device) await run("losetup", ["--detach", device]);
  });

  test("is formatted once, and mounted while any pod has it", async () => {
    volume("disk", { local: { path: device, fsType: "ext4" } });
    const first = pod("disk");
    expect(await prepare(pod("disk", { readOnly: true }))).toEqual([
      expect.stringContaining(`cannot mount unformatted disk ${device} as we are manipulating it in read-only mode`),
    ]);
    const { source } = await mounted(first);
    expect((await run("findmnt", ["-no", "SOURCE,FSTYPE", source])).stdout.trim().split(/ +/)).toEqual([
      device,
      "ext4",
    ]);
    writeFileSync(join(source, "file"), "on the device");
    const second = pod("disk");
    await mounted(second);
    await volumes.remove(first.metadata.uid ?? "");
    const third = await mounted(second);
    expect(readFileSync(join(third.source, "file"), "utf8")).toBe("on the device");
    await volumes.remove(second.metadata.uid ?? "");
    expect(mountPoints(home)).toEqual([]);
    const fourth = pod("disk");
    expect(readFileSync(join((await mounted(fourth)).source, "file"), "utf8")).toBe("on the device");
    await volumes.remove(fourth.metadata.uid ?? "");
  });

  test("is given as it is to a container that asks for the device", async () => {
    volume("raw", { local: { path: device }, volumeMode: "Block" });
    const one = pod("raw");
    const [container] = one.spec.containers;
    if (!container) throw new Error("no container");
    Object.assign(container, { volumeMounts: [], volumeDevices: [{ name: "data", devicePath: "/dev/data" }] });
    expect(await prepare(one)).toEqual([]);
    const mounts = await volumes.mountsOf(one, container, { env: new Map(), images: new Map() });
    expect(mounts).toEqual([{ source: device, target: "/dev/data", device: "rwm" }]);
    await volumes.remove(one.metadata.uid ?? "");
    volume("folder", { local: { path: disk }, volumeMode: "Block" });
    const two = pod("folder");
    two.spec.containers = [{ ...container }];
    expect(await prepare(two)).toEqual([
      `MapVolume.SetUpDevice failed for volume "folder" : ${disk} is not a block device`,
    ]);
    await volumes.remove(two.metadata.uid ?? "");
  });
});

describe("what cannot be mounted is told in the kubelet's words", () => {
  const elsewhere = {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["m"] }] }],
    },
  };
  const missing = join(root, "missing");
  test.each<[string, CoreV1PersistentVolume["spec"]]>([
    [
      `MountVolume.NewMounter initialization failed for volume "v" : path "${missing}" does not exist`,
      { local: { path: missing } },
    ],
    [
      'MountVolume.NewMounter initialization failed for volume "v" : only directory and block device are supported',
      { local: { path: "/dev/null" } },
    ],
    [
      'MountVolume.NodeAffinity check failed for volume "v" : no matching NodeSelectorTerms',
      { local: { path: disk }, nodeAffinity: elsewhere },
    ],
    [
      `MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${missing} is not a directory`,
      { hostPath: { path: missing, type: "Directory" } },
    ],
    [
      'MountVolume.MountOptionSupport check failed for volume "v" : mount options are not supported for this volume type',
      { hostPath: { path: disk }, mountOptions: ["ro"] },
    ],
    [
      'MountVolume.MountDevice failed for volume "v" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name d.example.com not found in the list of registered CSI drivers',
      { csi: { driver: "d.example.com", volumeHandle: "h" } },
    ],
    ['MountVolume.FindPluginBySpec failed for volume "v" : no volume plugin matched', {}],
  ])("%s", async (said, spec) => {
    volume("v", spec);
    const one = pod("v");
    expect(await prepare(one)).toEqual([said]);
    await volumes.remove(one.metadata.uid ?? "");
  });

  test("a claim that is not there", async () => {
    const one = pod("none");
    expect(await prepare(one)).toEqual([
      "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: " +
        'error processing PVC default/none: failed to fetch PVC from API server: persistentvolumeclaims "none" not found',
    ]);
    await volumes.remove(one.metadata.uid ?? "");
  });

  test("an NFS server that cannot be mounted from", async () => {
    volume("nfs", { nfs: { server: "127.0.0.1", path: "/none" }, mountOptions: ["nfsvers=3"] });
    const one = pod("nfs");
    const [problem = ""] = await prepare(one);
    expect(problem).toMatch(
      /^MountVolume.SetUp failed for volume "nfs" : mount failed: exit status \d+\nMounting command: mount\n/,
    );
    expect(problem).toContain(`\nMounting arguments: -t nfs -o nfsvers=3 127.0.0.1:/none ${home}/pods/`);
    await volumes.remove(one.metadata.uid ?? "");
  });
});

test("a hostPath volume is the machine's own folder, made where its type says so", async () => {
  const path = join(root, "made");
  volume("host", { hostPath: { path, type: "DirectoryOrCreate" } });
  const one = pod("host");
  expect((await mounted(one)).source).toBe(path);
  expect(statSync(path).isDirectory()).toBe(true);
  await volumes.remove(one.metadata.uid ?? "");
  expect(statSync(path).isDirectory()).toBe(true);
});
