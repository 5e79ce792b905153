/** CSI drivers: registered as by a kubelet, attached by a controller of theirs, staged, published, and all of it undone. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { TestDriver } from "../support/csi-driver.ts";
import { checked } from "../support/programs.ts";

type Attachment = { metadata: { name: string }; spec: { attacher: string; nodeName: string; source: object } };
type Events = { items: { reason: string; message: string }[] };

let cluster: TestCluster;
let driver: TestDriver;
let loop = "";

const volume = (handle: string, more = "", options = "") => `
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: ${handle} }
spec:
  capacity: { storage: 64Mi }
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  ${more}
  csi: { driver: test.csi.skerry.dev, volumeHandle: ${handle}, volumeAttributes: { kind: fast }, ${options} }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${handle} }
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  volumeName: ${handle}
  resources: { requests: { storage: 64Mi } }
  ${more.replace(/mountOptions.*/, "")}
`;

const pod = (name: string, source: string, use = "volumeMounts: [{ name: data, mountPath: /data }]") => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  securityContext: { fsGroup: 2345 }
  containers:
    - { name: c, image: "busybox:test", command: [sh, -c, "echo ${name} >> /data/who; exec sleep 100000"], ${use} }
  volumes: [{ name: data, ${source} }]
`;
const claimed = (claim: string) => `persistentVolumeClaim: { claimName: ${claim} }`;

const attachments = async () => (await cluster.json<{ items: Attachment[] }>("get volumeattachments")).items;
const running = (name: string) =>
  eventually(
    `${name} runs`,
    async () => (await cluster.ok(["get", "pod", name, "-o", "jsonpath={.status.phase}"])) === "Running",
  );
const said = (kind: string, name: string, words: string) =>
  eventually(`${kind} ${name} says ${words}`, async () => {
    const selector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
    const { items } = await cluster.json<Events>(`get events --field-selector ${selector}`);
    return items.some(({ reason, message }) => `${reason}: ${message}`.includes(words));
  });
const inNode = (path: string) => cluster.ok(["get", "node", "node-a", "-o", `jsonpath={${path}}`]);
/** What the driver's own controller does. */
const attach = async (handle: string) => {
  const found = await eventually(`${handle} is to be attached`, async () =>
    (await attachments()).find(({ spec }) => JSON.stringify(spec.source).includes(`"${handle}"`)),
  );
  const patch = JSON.stringify({ status: { attached: true, attachmentMetadata: { device: `/dev/${handle}` } } });
  await cluster.ok([
    ...["patch", "volumeattachment", found.metadata.name, "--subresource=status", "--type=merge", "-p", patch],
  ]);
  return found;
};

beforeAll(async () => {
  cluster = await TestCluster.start();
  const data = join(cluster.home, "driver");
  driver = new TestDriver(join(cluster.home, "kubelet"), data);
  await checked("sh", ["-c", `mkdir -p ${data} && truncate -s 16M ${data}/image`]);
  loop = (await checked("losetup", ["--find", "--show", join(data, "image")])).stdout.trim();
  await checked("ln", ["-s", loop, join(data, "raw")]);
  await cluster.ok("create secret generic key --from-literal=user=admin");
  await cluster.apply(
    `
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: test.csi.skerry.dev }
spec:
  podInfoOnMount: true
  fsGroupPolicy: File
  volumeLifecycleModes: [Persistent, Ephemeral]
  tokenRequests: [{ audience: vault }]
` +
      volume("one", "mountOptions: [noatime]", "fsType: ext4, nodeStageSecretRef: { namespace: default, name: key }") +
      volume("raw", "volumeMode: Block") +
      pod("first", claimed("one")) +
      pod("inline", "csi: { driver: test.csi.skerry.dev, readOnly: false, volumeAttributes: { size: small } }") +
      pod("foreign", "csi: { driver: nobody.example.com }"),
  );
});
afterAll(async () => {
  driver?.stop();
  await cluster?.stop();
  if (loop) await checked("losetup", ["--detach", loop]);
});

test("a driver that is not there yet is waited for, and known to the cluster when it comes", async () => {
  const unknown = "driver name test.csi.skerry.dev not found in the list of registered CSI drivers";
  await said("Pod", "first", `FailedMount: MountVolume.MountDevice failed for volume "one" : `);
  await said("Pod", "inline", `mounter.SetUpAt failed to get CSI client: ${unknown}`);
  await driver.start();
  await eventually("the driver hears that it is registered", async () => driver.registered !== undefined);
  expect(driver.registered).toEqual({ ok: true, error: "" });
  await eventually("the cluster knows it", async () => {
    expect(JSON.parse(await cluster.ok("get csinode node-a -o jsonpath={.spec.drivers}"))).toEqual([
      { name: driver.name, nodeID: driver.nodeId, topologyKeys: ["topology.test/zone"], allocatable: { count: 8 } },
    ]);
    expect(await inNode(".metadata.labels.topology\\.test/zone")).toBe("z1");
    expect(await inNode(".metadata.annotations.csi\\.volume\\.kubernetes\\.io/nodeid")).toBe(
      JSON.stringify({ [driver.name]: driver.nodeId }),
    );
    return true;
  });
});

test("a volume is staged and published once it is attached, with all that its driver is to hear", async () => {
  const attachment = await attach("one");
  expect(attachment.spec).toEqual({
    attacher: driver.name,
    nodeName: "node-a",
    source: { persistentVolumeName: "one" },
  });
  await running("first");
  await said("Pod", "first", 'SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "one"');
  expect(driver.methods("one")).toEqual(["NodeStageVolume", "NodePublishVolume"]);
  const [staged, published] = driver.asked.filter(({ volume }) => volume === "one");
  const common = { fsType: "ext4", flags: ["noatime"], mode: 1, publishContext: { device: "/dev/one" } };
  expect(staged).toMatchObject({ ...common, secrets: { user: "admin" }, volumeContext: { kind: "fast" } });
  expect(published).toMatchObject({
    ...common,
    staging: staged?.staging,
    readonly: false,
    volumeContext: {
      kind: "fast",
      "csi.storage.k8s.io/pod.name": "first",
      "csi.storage.k8s.io/pod.namespace": "default",
      "csi.storage.k8s.io/serviceAccount.name": "default",
      "csi.storage.k8s.io/ephemeral": "false",
    },
  });
  const tokens = JSON.parse(published?.volumeContext["csi.storage.k8s.io/serviceAccount.tokens"] ?? "{}");
  expect(tokens.vault).toEqual({ token: expect.stringMatching(/^ey/), expirationTimestamp: expect.any(String) });
  const root = join(cluster.home, "kubelet");
  expect(staged?.staging).toMatch(
    new RegExp(`^${root}/plugins/kubernetes.io/csi/${driver.name}/[0-9a-f]{64}/globalmount$`),
  );
  expect(published?.target).toMatch(new RegExp(`^${root}/pods/[-0-9a-f]+/volumes/kubernetes.io~csi/one/mount$`));
  await eventually("it has written", async () => (await cluster.ok("exec first -- cat /data/who")) === "first\n");
  expect(statSync(join(cluster.home, "driver/one/who")).gid).toBe(2345);
  const name = `kubernetes.io/csi/${driver.name}^one`;
  await eventually("the node says what it uses", async () => (await inNode(".status.volumesInUse")).includes(name));
  await eventually("and has", async () => (await inNode(".status.volumesAttached[0].name")) === name);
});

test("a volume that its driver's controller has made larger grows on the node", async () => {
  const larger = JSON.stringify({ spec: { capacity: { storage: "128Mi" } } });
  await cluster.ok(["patch", "pv", "one", "--type=merge", "-p", larger]);
  const conditions = [{ type: "FileSystemResizePending", status: "True" }];
  const pending = JSON.stringify({ status: { conditions } });
  await cluster.ok(["patch", "pvc", "one", "--subresource=status", "--type=merge", "-p", pending]);
  const now = () => cluster.ok("get pvc one -o jsonpath={.status.capacity.storage}:{.status.conditions}");
  await eventually("the claim says so", async () => ["128Mi:", "128Mi:[]"].includes(await now()));
  const published = driver.asked.find(({ method, volume }) => method === "NodePublishVolume" && volume === "one");
  expect(driver.asked.find(({ method }) => method === "NodeExpandVolume")).toMatchObject({
    volume: "one",
    target: published?.target,
    staging: published?.staging,
    fsType: "ext4",
  });
});

test("a pod's own volume is made for it; a driver that nobody has keeps its pod waiting", async () => {
  await running("inline");
  const asked = driver.asked.find(({ volumeContext }) => volumeContext["csi.storage.k8s.io/ephemeral"] === "true");
  expect(asked).toMatchObject({ method: "NodePublishVolume", staging: "", volumeContext: { size: "small" } });
  await said("Pod", "foreign", "driver name nobody.example.com not found");
});

test("a block volume comes as a device", async () => {
  await cluster.apply(
    pod("block", claimed("raw"), "volumeDevices: [{ name: data, devicePath: /dev/data }]").replace(
      "echo block >> /data/who",
      "echo hello | dd of=/dev/data",
    ),
  );
  await attach("raw");
  await running("block");
  await eventually("it has been written to", async () =>
    (await cluster.ok("exec block -- dd if=/dev/data bs=5 count=1")).includes("hello"),
  );
  expect(driver.asked.find(({ volume }) => volume === "raw")).toMatchObject({ isBlock: true });
});

describe("the way back", () => {
  test("a volume of two pods stays staged until the second one is gone, whatever is killed meanwhile", async () => {
    await cluster.apply(pod("second", claimed("one")));
    await running("second");
    const since = driver.methods("one").length;
    expect(driver.methods("one").filter((method) => method !== "NodeExpandVolume")).toEqual([
      "NodeStageVolume",
      "NodePublishVolume",
      "NodePublishVolume",
    ]);
    await cluster.kill("agent");
    await cluster.ok("delete pod first");
    expect(driver.methods("one").slice(since)).toEqual(["NodeUnpublishVolume"]);
    await eventually(
      "the second has written",
      async () => (await cluster.ok("exec second -- cat /data/who")) === "first\nsecond\n",
    );
    driver.refuse = ({ method }) => (method === "NodeUnstageVolume" ? "device is busy" : undefined);
    await cluster.ok("delete pod second --wait=false");
    await eventually("the driver refuses", async () => driver.methods("one").includes("NodeUnstageVolume"));
    expect((await attachments()).some(({ spec }) => JSON.stringify(spec.source).includes('"one"'))).toBe(true);
    await cluster.kill("agent");
    driver.refuse = () => undefined;
    await cluster.ok("wait --for=delete pod/second");
    await eventually("it is detached", async () =>
      (await attachments()).every(({ spec }) => !JSON.stringify(spec.source).includes('"one"')),
    );
    expect(driver.methods("one").at(-1)).toBe("NodeUnstageVolume");
  });

  test("nothing is left of the others, and a driver that goes is forgotten", async () => {
    await cluster.ok("delete pod block inline foreign");
    await eventually("all is detached", async () => (await attachments()).length === 0);
    await eventually("the node has none", async () => (await inNode(".status.volumesAttached")) === "");
    await eventually("nothing is mounted", async () => {
      const left = await checked("sh", ["-c", `grep -c ${cluster.home}/kubelet /proc/mounts || true`]);
      return left.stdout.trim() === "0";
    });
    expect(existsSync(join(cluster.home, "driver/one/who"))).toBe(true);
    driver.stop();
    await eventually(
      "no driver is told of",
      async () => !(await cluster.ok("get csinode node-a -o json")).includes(driver.name),
    );
  });
});
