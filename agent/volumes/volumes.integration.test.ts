import {
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRuntime, type TestRuntime } from "../../test/support/containerd.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../../test/support/image.ts";
import { checked } from "../../test/support/programs.ts";
import type { CoreV1ConfigMap, CoreV1Container, CoreV1Pod, CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { CONTAINERD_NAMESPACE } from "../containerd.ts";
import { effects } from "../effects.ts";
import { remove } from "../local/uninstall.ts";
import { ociRuntimes } from "../node/oci-runtime.ts";
import { mountFlags } from "../pods/mounts.ts";
import { run, spawn } from "../process.ts";
import { containerdImages } from "./image-mounts.ts";
import { openInside } from "./inside.ts";
import { type PodContext, Volumes } from "./manager.ts";
import { mountNew, mountPoints, mountPointsOfHome, unmountAll, unmountHome } from "./mounts.ts";
import { findRecursiveReadOnly } from "./recursive-read-only.ts";
import { bindSubPath } from "./sub-path.ts";

let runtime: TestRuntime;
let volumes: Volumes;
const configMaps = new Map<string, CoreV1ConfigMap>();
const made: CoreV1Pod[] = [];

const newVolumes = async () => {
  const address = runtime.containerd.paths.socket;
  const images = containerdImages(address, CONTAINERD_NAMESPACE);
  const recursiveReadOnly = await findRecursiveReadOnly();
  const own = new Volumes({ home: runtime.home, api: refuse, now: effects.now, images, recursiveReadOnly });
  await own.start();
  return own;
};
const refuse = () => Promise.reject(new Error("no uplink"));
const home = (...path: string[]) => join(runtime.home, ...path);

function pod(spec: Partial<CoreV1PodSpec>, container: Partial<CoreV1Container>): CoreV1Pod {
  const metadata = { name: `p${made.length}`, namespace: "default", uid: effects.uid(), labels: { tier: "web" } };
  const one = { metadata, spec: { ...spec, containers: [{ name: "main", image: BUSYBOX_IMAGE, ...container }] } };
  made.push(one);
  return one;
}

const contextOf = (one: CoreV1Pod): PodContext => ({
  pod: one,
  desired: { configMaps, secrets: new Map([["default/key", { metadata: {}, data: { k: btoa("hush") } }]]) },
  fields: {
    pod: one,
    podIPs: [],
    hostIPs: [],
    nodeName: "n",
    allocatable: { cpu: "2", memory: "1Gi", "ephemeral-storage": "1Gi" },
  },
});

/** What a container of the pod that runs `script` prints; its image volumes are all of busybox. */
async function inside(one: CoreV1Pod, script: string, flags: string[] = []): Promise<string> {
  const [container] = one.spec.containers;
  if (!container) throw new Error("no container");
  expect(await volumes.prepare(contextOf(one))).toEqual([]);
  const image = { id: "sha256:1", name: BUSYBOX_IMAGE };
  const images = new Map((one.spec.volumes ?? []).flatMap((v) => (v.image ? [[v.name, image] as const] : [])));
  const mounts = await volumes.mountsOf(one, container, { env: new Map([["NAME", "web-0"]]), images });
  const all = ["run", "--rm", "--pull", "never", "--network", "none", ...flags, ...mountFlags(mounts)];
  const command = [...all, BUSYBOX_IMAGE, "sh", "-c", script];
  const done = await run(runtime.nerdctl.binary, command, { env: runtime.nerdctl.environment });
  return done.stdout + done.stderr.replace(/^time=.*\n/gm, "");
}

beforeAll(async () => {
  runtime = await startRuntime();
  await writeBusyboxImage(home("busybox.tar"));
  await runtime.nerdctl.load(home("busybox.tar"));
  volumes = await newVolumes();
  configMaps.set("default/conf", { metadata: {}, data: { a: "one", b: "two" } });
});

afterAll(async () => {
  for (const { metadata } of made) await volumes.remove(metadata.uid ?? "");
  await runtime?.stop();
});

test("a container finds its volumes where they are mounted, one in another, with their modes", async () => {
  const one = pod(
    {
      securityContext: { fsGroup: 1234 },
      volumes: [
        { name: "disk", emptyDir: {} },
        { name: "fast", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "conf", configMap: { name: "conf", defaultMode: 0o400 } },
        { name: "key", secret: { secretName: "key" } },
        {
          name: "down",
          downwardAPI: { items: [{ path: "tier", fieldRef: { fieldPath: "metadata.labels['tier']" } }] },
        },
      ],
    },
    {
      volumeMounts: [
        { name: "down", mountPath: "/data/conf/down/deep" },
        { name: "conf", mountPath: "/data/conf" },
        { name: "key", mountPath: "/data/conf/one", subPath: "k" },
        { name: "disk", mountPath: "/data" },
        { name: "fast", mountPath: "fast" },
        { name: "disk", mountPath: "/part", subPathExpr: "$(NAME)/logs" },
        { name: "conf", mountPath: "/etc/passwd", subPath: "b" },
      ],
    },
  );
  const said = await inside(
    one,
    `cat /data/conf/a /data/conf/one /data/conf/down/deep/tier /etc/passwd; echo
     stat -c '%a %g' /data /fast /part /data/web-0 /data/conf/..data/a
     df -k /fast | awk 'END { print $2 }'
     touch /data/x /fast/x /part/x && echo written; touch /data/conf/x || true`,
    ["--user", "1000:1000", "--group-add", "1234"],
  );
  const modes = ["2777 1234", "3777 1234", "2777 1234", "2777 1234", "440 1234"];
  expect(said.split("\n").slice(0, 8)).toEqual(["onehushwebtwo", ...modes, "1024", "written"]);
  expect(said).toContain("touch: /data/conf/x: Read-only file system");
});

test("a container has more volumes than nerdctl can list, with what looks like fields in their names", async () => {
  const of = (n: number) => ({ name: `v${n}`, configMap: { name: "conf" } });
  const many = Array.from({ length: 60 }, (_, n) => of(n));
  const odd = [`/many/é "x"],"annotations"`, "/many/a b|&#"];
  const one = pod(
    { volumes: [...many, of(60), of(61)] },
    {
      volumeMounts: [
        ...odd.map((mountPath, at) => ({ name: `v${60 + at}`, mountPath, readOnly: true })),
        ...many.map(({ name }, n) => ({ name, mountPath: `/many/${n}` })),
      ],
    },
  );
  const runtimes = ociRuntimes(home("runtimes"));
  const said = await inside(one, "cat /many/*/a; ls /many | wc -l", ["--runtime", runtimes.of("") ?? ""]);
  expect(said).toBe(`${"one".repeat(62)}62\n`);
});

test("an emptyDir is of huge pages where the pod asks for them", async () => {
  const requests = { "hugepages-2Mi": "4Mi" };
  const one = pod(
    { securityContext: { fsGroup: 1234 }, volumes: [{ name: "huge", emptyDir: { medium: "HugePages-2Mi" } }] },
    { resources: { requests }, volumeMounts: [{ name: "huge", mountPath: "/huge" }] },
  );
  const said = await inside(one, "stat -c '%a %g' /huge; grep ' /huge ' /proc/self/mountinfo");
  expect(said).toMatch(/^2775 1234\n.* hugetlbfs hugetlbfs .*pagesize=2M/);
});

test("mounts inside of a read-only one stay as they are, or become read-only, too", async () => {
  mkdirSync(home("host/inner"), { recursive: true });
  await mountNew("tmpfs", home("host/inner"), "size=64k");
  const hostPath = { path: home("host"), type: "Directory" };
  const mount = { name: "h", readOnly: true };
  const one = pod(
    { volumes: [{ name: "h", hostPath }] },
    {
      volumeMounts: [
        { ...mount, mountPath: "/flat", recursiveReadOnly: "Disabled" },
        { ...mount, mountPath: "/deep", recursiveReadOnly: "Enabled" },
      ],
    },
  );
  const said = await inside(one, "touch /flat/x /deep/x /deep/inner/x; touch /flat/inner/y && echo written");
  expect(said.split("\n").toSorted()).toEqual([
    "",
    ...["/deep/inner/x", "/deep/x", "/flat/x"].map((path) => `touch: ${path}: Read-only file system`),
    "written",
  ]);
});

test("what is mounted on one side is seen on the other as far as that was asked for", async () => {
  const path = home("spread");
  mkdirSync(path);
  await run("mount", ["--bind", path, path]); // so that nothing else becomes shared
  await run("mount", ["--make-private", path]);
  const mount = { name: "h" };
  const one = pod(
    { volumes: [{ name: "h", hostPath: { path } }] },
    {
      volumeMounts: [
        { ...mount, mountPath: "/none" },
        { ...mount, mountPath: "/from", mountPropagation: "HostToContainer" },
        { ...mount, mountPath: "/both", mountPropagation: "Bidirectional" },
      ],
    },
  );
  const both = `mkdir /both/inner && mount -t tmpfs inner /both/inner && touch /both/ready
    until [ -e /both/outer/file ]; do sleep 0.1; done
    for place in none from both; do echo $place $(ls /$place/outer); done`;
  const said = inside(one, both, ["--privileged"]);
  while (!existsSync(join(path, "ready"))) await effects.sleep(50);
  await mountNew("tmpfs", join(path, "outer"), "size=64k");
  writeFileSync(join(path, "outer/file"), "");
  expect(await said).toBe("none\nfrom file\nboth file\n");
  expect(mountPoints(path)).toEqual([path, join(path, "inner"), join(path, "outer")]);
});

test("a hostPath that is not there and of no type becomes a folder, whatever marks its name has", async () => {
  const path = home('host:a,"b');
  const one = pod({ volumes: [{ name: "h", hostPath: { path } }] }, { volumeMounts: [{ name: "h", mountPath: "/h" }] });
  expect(await inside(one, "echo here > /h/file; cat /h/file")).toBe("here\n");
  expect(readFileSync(join(path, "file"), "utf8")).toBe("here\n");
});

const snapshots = async () =>
  (await run("ctr", ["-a", runtime.containerd.paths.socket, "-n", CONTAINERD_NAMESPACE, "snapshots", "ls"])).stdout;

test("an image is a volume, and leaves nothing behind", async () => {
  const one = pod(
    { volumes: [{ name: "i", image: { reference: BUSYBOX_IMAGE } }] },
    {
      volumeMounts: [
        { name: "i", mountPath: "/image" },
        { name: "i", mountPath: "/part", subPath: "bin" },
      ],
    },
  );
  expect(await inside(one, "ls /image; ls /part/busybox; touch /image/x /part/x")).toBe(
    [
      ...["bin", "dev", "etc", "proc", "sys", "tmp", "/part/busybox"],
      ...["/image/x", "/part/x"].map((path) => `touch: ${path}: Read-only file system`),
      "",
    ].join("\n"),
  );
  const folder = home("pods", one.metadata.uid ?? "");
  expect(mountPoints(folder)).toHaveLength(1);
  expect(await snapshots()).toContain(folder);
  // By an agent that knows only what is on disk.
  volumes = await newVolumes();
  await volumes.remove(one.metadata.uid ?? "");
  expect(mountPoints(folder)).toEqual([]);
  expect(await snapshots()).not.toContain(folder);
  expect(existsSync(folder)).toBe(false);
  const { mount } = containerdImages(runtime.containerd.paths.socket, CONTAINERD_NAMESPACE);
  await expect(mount("docker.io/library/none:1", home("none"))).rejects.toThrow("not found");
});

test("volumes that an image asks for go with their container", async () => {
  const { nerdctl } = runtime;
  await writeBusyboxImage(home("volumes.tar"), { tag: "docker.io/library/volumes:test", volumes: ["/data", "/etc"] });
  await nerdctl.load(home("volumes.tar"));
  const { Id: id } = await nerdctl.run({
    image: "volumes:test",
    flags: ["--network", "none"],
    args: ["sh", "-c", "cat /etc/passwd > /data/copy && sleep 1000"],
  });
  const made = async () => (await run(nerdctl.binary, ["volume", "ls", "-q"], { env: nerdctl.environment })).stdout;
  expect((await made()).split("\n").filter(Boolean)).toHaveLength(2);
  await nerdctl.remove([id]);
  expect(await made()).toBe("");
});

test("volumes that cannot be made hold up no others, and what they need may come later", async () => {
  const both = pod(
    {
      volumes: [
        { name: "disk", iscsi: { targetPortal: "192.0.2.1", iqn: "iqn.2026-01.com.example:a", lun: 0 } },
        { name: "late", configMap: { name: "late" } },
        { name: "conf", configMap: { name: "conf" } },
        { name: "unused", configMap: { name: "none" } },
      ],
    },
    { volumeMounts: ["disk", "late", "conf"].map((name) => ({ name, mountPath: `/${name}` })) },
  );
  expect(await volumes.prepare(contextOf(both))).toEqual([
    'MountVolume.SetUp failed for volume "disk" : iscsi volumes cannot be mounted by this node',
    'MountVolume.SetUp failed for volume "late" : configmap "late" not found',
  ]);
  configMaps.set("default/late", { metadata: {}, data: { a: "1" } });
  const read = (volume: string) => volumes.file(both.metadata.uid ?? "", volume, "a")?.read();
  expect(await volumes.prepare(contextOf(both))).toHaveLength(1);
  expect([read("late"), read("conf")]).toEqual(["1", "one"]);
  configMaps.delete("default/late");
  configMaps.set("default/conf", { metadata: {}, data: { a: "changed" } });
  expect(await volumes.refresh(contextOf(both))).toEqual([
    'MountVolume.SetUp failed for volume "late" : configmap "late" not found',
  ]);
  expect([read("late"), read("conf")]).toEqual(["1", "changed"]);
});

test("a node whose home has another name by a link finds its mounts, and deletes nothing of others", async () => {
  mkdirSync(home("real/kept/part"), { recursive: true });
  writeFileSync(home("real/kept/part/file"), "");
  symlinkSync(home("real"), home("linked"));
  const images = containerdImages(runtime.containerd.paths.socket, CONTAINERD_NAMESPACE);
  const own = new Volumes({ home: home("linked"), api: refuse, now: effects.now, images, recursiveReadOnly: true });
  await own.start();
  await own.start();
  expect(mountPoints(home("linked"))).toEqual([home("real/memory")]);
  const hostPath = { path: home("real/kept") };
  const volumeMounts = [
    { name: "h", mountPath: "/h", subPath: "part" },
    { name: "h", mountPath: "/f", subPath: "part/file" },
  ];
  const one = pod({ volumes: [{ name: "h", hostPath }] }, { volumeMounts });
  await own.prepare(contextOf(one));
  const [container] = one.spec.containers;
  if (!container) throw new Error("no container");
  await own.mountsOf(one, container, { env: new Map(), images: new Map() });
  expect(mountPoints(home("linked"))).toHaveLength(3);
  await own.remove(one.metadata.uid ?? "");
  expect(readdirSync(home("real/kept/part"))).toEqual(["file"]);
  expect(readdirSync(home("real/pods"))).toEqual([]);
});

test("disks that a home was given stay mounted, and stay when the home is removed", async () => {
  const disk = home("disks");
  mkdirSync(home("given"));
  await mountNew("tmpfs", disk, "size=1m");
  for (const folder of ["volumes", "memory", "pods/one/volume"]) mkdirSync(join(disk, folder), { recursive: true });
  await checked("mount", ["--bind", home("given"), join(disk, "volumes")]);
  writeFileSync(join(disk, "volumes/data"), "");
  await mountNew("tmpfs", join(disk, "memory"), "size=1m");
  await mountNew("tmpfs", join(disk, "pods/one/volume"), "size=1m");
  expect(mountPointsOfHome(disk)).toEqual([join(disk, "memory"), join(disk, "pods/one/volume")]);
  await unmountHome(disk);
  expect(mountPoints(disk)).toEqual([disk, join(disk, "volumes")]);
  remove(disk);
  expect(readdirSync(disk, { recursive: true })).toEqual(["volumes"]);
  expect(mountPoints(disk)).toEqual([disk, join(disk, "volumes")]);
  await unmountAll(disk);
});

test("what is in memory is out of others' reach", () => {
  expect(statSync(home("memory")).mode & 0o777).toBe(0o700);
});

/** Runs `script` again and again, as fast as it goes and in a process of its own, while `body` runs. */
async function whileChanging(folder: string, script: string, body: () => Promise<void> | void): Promise<void> {
  const program = `const { renameSync: mv, symlinkSync: ln } = require("node:fs");
    process.stdout.write("begun"); for (;;) { ${script} }`;
  const changer = spawn(process.execPath, ["-e", program], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => changer.once("exit", resolve));
  await new Promise((resolve) => changer.stdout?.once("data", resolve));
  try {
    await body();
  } finally {
    const isLeft = changer.exitCode === null;
    changer.kill("SIGKILL");
    await ended;
    expect(isLeft).toBe(true);
  }
}

test("a part of a volume is never outside of it, however its way is swapped for links meanwhile", async () => {
  const [volume, outside] = [home("race/volume"), home("race/outside")];
  for (const folder of [join(volume, "way/sub"), join(outside, "sub")]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(volume, "way/sub/inside"), "");
  writeFileSync(join(outside, "sub/outside"), "");
  symlinkSync(outside, join(volume, "link"));
  const seen = new Set<string>();
  const swap = 'mv("way", "kept"); mv("link", "way"); mv("way", "link"); mv("kept", "way");';
  await whileChanging(volume, swap, () => {
    const isEnough = () => seen.has("inside") && (seen.has("leads outside") || seen.has("symbolic link"));
    // On a busy machine the other may not run for a while.
    for (let i = 0; i < 5000 || (!isEnough() && i < 5_000_000); i++)
      try {
        const handle = openInside(volume, "way/sub");
        seen.add(readdirSync(`/proc/self/fd/${handle}`).join());
        closeSync(handle);
      } catch (error) {
        seen.add(/leads outside|symbolic link/.exec((error as Error).message)?.[0] ?? "gone");
      }
  });
  expect(seen).not.toContain("outside");
  expect(seen).toContain("inside");
  expect(seen.has("leads outside") || seen.has("symbolic link")).toBe(true);
  rmSync(home("race"), { recursive: true });
});

test("nothing outside of a volume is made or bound, however a link on its way changes meanwhile", async () => {
  const [volume, outside, target] = [home("race/volume"), home("race/outside"), home("race/target")];
  for (const folder of [join(volume, "real/sub"), join(outside, "sub")]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(volume, "real/sub/inside"), "");
  writeFileSync(join(outside, "sub/outside"), "");
  symlinkSync("real", join(volume, "way"));
  const swap = `for (const to of ["real", ${JSON.stringify(outside)}]) { ln(to, "new"); mv("new", "way"); }`;
  const seen = new Set<string>();
  const see = (error: unknown) => seen.add((error as Error).message.replace(/\d+/, "N"));
  await whileChanging(volume, swap, async () => {
    let made = 0;
    const isEnough = () => made > 0 && seen.has("way/new-N leads outside");
    for (let i = 0; i < 2000 || (!isEnough() && i < 2_000_000); i++)
      try {
        closeSync(openInside(volume, `way/new-${i}`, 0o755));
        made++;
      } catch (error) {
        see(error);
      }
    for (let i = 0; i < 10; i++)
      await bindSubPath({ volume, path: "way/sub", target, what: "it" }).then(
        () => seen.add(readdirSync(target).join()),
        see,
      );
  });
  await unmountAll(target);
  expect(readdirSync(outside)).toEqual(["sub"]);
  expect(readdirSync(join(volume, "real")).length).toBeGreaterThan(1);
  expect(seen).toContain("way/new-N leads outside");
  expect(seen).not.toContain("outside");
  rmSync(home("race"), { recursive: true });
});
