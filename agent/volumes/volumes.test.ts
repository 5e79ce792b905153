import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { CoreV1Pod, CoreV1Volume } from "../../worker/kinds/generated/types.ts";
import { somePod } from "../pods/testing.ts";
import { memorySize, pageSize } from "./empty-dir.ts";
import { openInside, readInside } from "./inside.ts";
import { imageFolder } from "./places.ts";
import { isRecursivelyReadOnly, supports } from "./recursive-read-only.ts";
import { tokenOwner, volumeSources } from "./sources.ts";
import { usedVolumes, type VolumeContext } from "./volume.ts";

const root = mkdtempSync(join(tmpdir(), "skerry-volumes-"));
afterAll(() => rmSync(root, { recursive: true }));

const MI = 1024 * 1024;
const allocatable = { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi" };
const resources = (limits: Record<string, string>, requests = limits) => ({ resources: { limits, requests } });
const containers = (...list: object[]) => list.map((given, i) => ({ name: `c${i}`, image: "app:1", ...given }));

function prepare(volume: Omit<CoreV1Volume, "name">, pod: CoreV1Pod = somePod()): Promise<string> {
  const context: VolumeContext = {
    pod,
    home: root,
    folder: join(root, "pod"),
    memoryFolder: join(root, "memory"),
    desired: {
      configMaps: new Map([["default/conf", { metadata: {}, data: { a: "1" }, binaryData: { b: btoa("2") } }]]),
      secrets: new Map([["default/key", { metadata: {}, data: { k: btoa("3") } }]]),
    },
    fields: { pod, podIPs: [], hostIPs: [], nodeName: "n", allocatable },
    now: 0,
    isElsewhere: () => false,
    tell: () => {},
    token: async ({ audience }) => {
      if (audience) throw new Error("failed to fetch token: no");
      return "token";
    },
  };
  const named = { name: "v", ...volume };
  const source = volumeSources.find((s) => s.matches(named));
  if (!source) throw new Error("no source");
  return source.prepare(named, context);
}

describe("what is missing is told in the kubelet's words", () => {
  const items = [{ key: "none", path: "x" }];
  test.each<[string, Omit<CoreV1Volume, "name">]>([
    ['configmap "no" not found', { configMap: { name: "no" } }],
    ["configmap references non-existent config key: none", { configMap: { name: "conf", items } }],
    ['secret "no" not found', { secret: { secretName: "no" } }],
    ["references non-existent secret key: none", { secret: { secretName: "key", items } }],
    [
      '[configmap "no" not found, references non-existent secret key: none, failed to fetch token: no]',
      {
        projected: {
          sources: [
            { configMap: { name: "no" } },
            { secret: { name: "key", items } },
            { serviceAccountToken: { path: "t", audience: "a" } },
          ],
        },
      },
    ],
    [
      "container other not found",
      { downwardAPI: { items: [{ path: "x", resourceFieldRef: { containerName: "other", resource: "limits.cpu" } }] } },
    ],
    [
      "invalid path: must not start with '..': ..x",
      { configMap: { name: "conf", items: [{ key: "a", path: "..x" }] } },
    ],
  ])("%s", async (problem, volume) => {
    await expect(prepare(volume)).rejects.toMatchObject({ message: problem });
  });

  test("what is optional is left out", async () => {
    await prepare({ configMap: { name: "no", optional: true } });
    await prepare({ secret: { secretName: "key", items, optional: true } });
  });
});

test("an empty list of items is none", async () => {
  const place = await prepare({ configMap: { name: "conf", items: [] } });
  expect(readInside(place, "a", 10) + readInside(place, "b", 10)).toBe("12");
});

describe("hostPath", () => {
  const at = (name: string) => join(root, "host", name);
  mkdirSync(at("folder"), { recursive: true });
  writeFileSync(at("file"), "");
  test.each([
    ["Directory", at("file"), "a directory"],
    ["Directory", at("none"), "a directory"],
    ["DirectoryOrCreate", at("file"), "a directory"],
    ["File", at("folder"), "a file"],
    ["FileOrCreate", at("folder"), "a file"],
    ["Socket", at("file"), "a socket file"],
    ["CharDevice", at("file"), "a character device"],
    ["BlockDevice", "/dev/null", "a block device"],
  ])("%s %s is refused", async (type, path, wanted) => {
    const problem = `hostPath type check failed: ${path} is not ${wanted}`;
    await expect(prepare({ hostPath: { path, type } })).rejects.toThrow(problem);
  });

  test("what may be created is, and what is there is taken as it is", async () => {
    await prepare({ hostPath: { path: at("deep/folder"), type: "DirectoryOrCreate" } });
    await prepare({ hostPath: { path: at("new"), type: "FileOrCreate" } });
    expect(statSync(at("deep/folder")).mode & 0o777).toBe(0o755);
    expect(statSync(at("new")).mode & 0o777).toBe(0o644);
    expect(await prepare({ hostPath: { path: "/dev/null", type: "CharDevice" } })).toBe("/dev/null");
    expect(await prepare({ hostPath: { path: at("anything") } })).toBe(at("anything"));
    await expect(prepare({ hostPath: { path: at("no/file"), type: "FileOrCreate" } })).rejects.toMatchObject({
      message: `open ${at("no/file")}: no such file or directory`,
    });
  });
});

test("an emptyDir is everyone's, and is made once", async () => {
  const place = await prepare({ emptyDir: {} });
  expect(statSync(place).mode & 0o7777).toBe(0o777);
  writeFileSync(join(place, "kept"), "x");
  expect(await prepare({ emptyDir: {} })).toBe(place);
  expect(readInside(place, "kept", 10)).toBe("x");
  await expect(prepare({ emptyDir: { medium: "Paper" } })).rejects.toThrow('unknown storage medium "Paper"');
});

test("an emptyDir in memory is bounded by the least of its own limit, the pod's and the node's", () => {
  const size = (pod: CoreV1Pod, own?: string) => memorySize(pod, own, allocatable) / MI;
  const limited = somePod({ containers: containers(resources({ memory: "100Mi" }), resources({ memory: "50Mi" })) });
  const half = somePod({ containers: containers(resources({ memory: "100Mi" }), {}) });
  expect([size(somePod()), size(half), size(limited)]).toEqual([8192, 8192, 150]);
  expect([size(limited, "200Mi"), size(limited, "10Mi"), size(half, "10Gi"), size(half, "0")]).toEqual([
    150, 10, 8192, 8192,
  ]);
});

test("huge pages are of the size that the pod asks for", () => {
  const asking = (...sizes: string[]) =>
    somePod({ containers: containers(...sizes.map((size) => resources({ [`hugepages-${size}`]: "4Mi" }))) });
  expect(pageSize(asking("2Mi"), "HugePages")).toBe(2 * MI);
  expect(pageSize(asking("2Mi", "1Gi"), "HugePages-1Gi")).toBe(1024 * MI);
  expect(() => pageSize(asking("2Mi", "1Gi"), "HugePages")).toThrow("can't be used if container requests multiple");
  expect(() => pageSize(asking("2Mi"), "HugePages-1Gi")).toThrow("there is no resource request for huge pages");
  expect(() => pageSize(somePod(), "HugePages")).toThrow("there is no resource request for huge pages");
});

test("a token is its pod's one user's alone, or its group's, or everyone's", () => {
  const owner = (whole: object, ...own: object[]) =>
    tokenOwner(
      somePod({ securityContext: whole, containers: containers(...own.map((s) => ({ securityContext: s }))) }),
      0o644,
    );
  expect(owner({}, {})).toEqual({ mode: 0o644 });
  expect(owner({ fsGroup: 7 }, {})).toEqual({ mode: 0o600 });
  expect(owner({ runAsUser: 5 }, {}, {})).toEqual({ mode: 0o600, uid: 5 });
  expect(owner({ runAsUser: 5 }, { runAsUser: 6 }, {})).toEqual({ mode: 0o644 });
  expect(owner({}, { runAsUser: 6 }, {})).toEqual({ mode: 0o644 });
});

describe("recursive read-only mounts", () => {
  const mount = (given: object) => ({ name: "v", mountPath: "/v", readOnly: true, ...given });
  test.each([
    [{}, true, false],
    [{ recursiveReadOnly: "Disabled" }, true, false],
    [{ recursiveReadOnly: "IfPossible" }, true, true],
    [{ recursiveReadOnly: "IfPossible" }, false, false],
    [{ recursiveReadOnly: "Enabled", mountPropagation: "None" }, true, true],
  ])("%j, where that can be: %s", (given, supported, recursive) => {
    expect(isRecursivelyReadOnly(mount(given), supported)).toBe(recursive);
  });

  const asked = 'failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is';
  test.each([
    [{ recursiveReadOnly: "Enabled" }, "not supported by the runtime"],
    [{ recursiveReadOnly: "IfPossible", readOnly: false }, "not read-only"],
    [
      { recursiveReadOnly: "IfPossible", mountPropagation: "HostToContainer" },
      'not compatible with propagation "HostToContainer"',
    ],
  ])("%j is refused", (given, cause) => {
    expect(() => isRecursivelyReadOnly(mount(given), false)).toThrow(`${asked} ${cause}`);
  });

  test("take a kernel and a runtime that can", () => {
    const features = JSON.stringify({ mountOptions: ["ro", "rro"] });
    expect(["5.12.0", "6.1.0-44-amd64"].map((kernel) => supports(kernel, features))).toEqual([true, true]);
    expect(["5.11.9", "4.19.0"].map((kernel) => supports(kernel, features))).toEqual([false, false]);
    expect([`{"mountOptions":["ro"]}`, "{}", "unknown command"].map((said) => supports("6.1", said))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("a place in a folder that others change", () => {
  const volume = join(root, "volume");
  mkdirSync(join(volume, "a/b"), { recursive: true });
  mkdirSync(join(root, "outside"));
  writeFileSync(join(root, "outside/secret"), "secret");
  writeFileSync(join(volume, "a/file"), "text");
  symlinkSync("a", join(volume, "in"));
  symlinkSync("../outside", join(volume, "out"));
  symlinkSync(join(root, "outside"), join(volume, "absolute"));
  symlinkSync("../outside/new", join(volume, "dangling"));

  test("is found, through links that stay inside", () => {
    expect(["a/file", "in/file"].map((path) => readInside(volume, path, 10))).toEqual(["text", "text"]);
    expect(() => readInside(volume, "a/file", 3)).toThrow("longer");
    expect(() => readInside(volume, "a", 10)).toThrow("not a file");
  });

  test.each(["out/secret", "absolute/secret", "dangling", "none"])("is not read at %s", (path) => {
    expect(() => readInside(volume, path, 10)).toThrow();
  });

  test.each(["out/x", "absolute/x/y", "dangling", "dangling/x", "a/file/x"])("is not made at %s", (path) => {
    expect(() => openInside(volume, path, 0o777)).toThrow();
  });

  test("is made with the mode that is asked for, and nothing outside", () => {
    openInside(volume, "in/new/deep", 0o3777);
    expect(statSync(join(volume, "a/new/deep")).mode & 0o7777).toBe(0o3777);
    expect(() => statSync(join(root, "outside/new"))).toThrow();
  });

  test("of an image is a folder", () => {
    expect(imageFolder(volume, "in/b")).toBe(join(volume, "a/b"));
    expect(() => imageFolder(volume, "none")).toThrow(/ImageVolumeMountFailed: .*"none": no such file or directory/);
    expect(() => imageFolder(volume, "out")).toThrow("path escapes from parent");
    expect(() => imageFolder(volume, "a/file")).toThrow("only directory subpath is supported");
  });
});

test("volumes that no container has a use for are none", () => {
  const names = ["init", "app", "block", "debug", "none"];
  const pod = somePod({
    volumes: names.map((name) => ({ name, emptyDir: {} })),
    initContainers: containers({ volumeMounts: [{ name: "init", mountPath: "/i" }] }),
    containers: containers({
      volumeMounts: [{ name: "app", mountPath: "/a" }],
      volumeDevices: [{ name: "block", devicePath: "/dev/b" }],
    }),
    ephemeralContainers: containers({ volumeMounts: [{ name: "debug", mountPath: "/d" }] }),
  });
  expect(usedVolumes(pod).map(({ name }) => name)).toEqual(names.slice(0, 4));
});
