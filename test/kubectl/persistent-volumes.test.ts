/** Claims and volumes: made on the node's disk, mounted, kept over whatever happens, grown, and removed at the end. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { losePower } from "../support/power.ts";

type Pod = {
  metadata: { uid: string };
  spec: { nodeName?: string };
  status: { phase: string; containerStatuses?: { ready: boolean; restartCount: number; containerID: string }[] };
};
type Claim = {
  metadata: { deletionTimestamp?: string };
  spec: { volumeName?: string };
  status: { phase: string; capacity?: { storage: string } };
};
type Volume = { spec: { local: { path: string } }; status: { phase: string } };
type Events = { items: { reason: string; message: string; involvedObject: { name: string } }[] };

let cluster: TestCluster;

const ALONE = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";

const claim = (name: string, more: string, mode = "ReadWriteOnce") => `
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec: { accessModes: [${mode}], resources: { requests: { storage: 64Mi } }, ${more} }
`;

const pod = (name: string, claimName: string, more = "", mount = "") => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  ${more}
  containers:
    - name: c
      image: busybox:test
      command: [sleep, "100000"]
      volumeMounts: [{ name: data, mountPath: /data${mount} }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: ${claimName} } }]
`;

const ephemeralPod = `
---
apiVersion: v1
kind: Pod
metadata: { name: scratch }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: c, image: "busybox:test", command: [sleep, "100000"], volumeMounts: [{ name: tmp, mountPath: /tmp }] }
  volumes:
    - name: tmp
      ephemeral:
        volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } } }
`;

const database = `
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 1
  selector: { matchLabels: { app: db } }
  persistentVolumeClaimRetentionPolicy: { whenDeleted: Delete, whenScaled: Retain }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: { runAsUser: 1000, fsGroup: 2000 }
      containers:
        - name: c
          image: busybox:test
          command: [sh, -c, 'echo start >> /data/starts; exec sleep 100000']
          volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 64Mi } } }
`;

const byHand = (path: string) => `
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: by-hand }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  claimRef: { namespace: default, name: by-hand }
  hostPath: { path: ${path}, type: Directory }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: keep }
provisioner: skerry.dev/local
reclaimPolicy: Retain
volumeBindingMode: WaitForFirstConsumer
`;

const get = <T>(what: string) => cluster.json<T>(`get ${what}`);
const ready = (name: string) =>
  eventually(`${name} is ready`, async () => {
    const found = await get<Pod>(`pod ${name}`);
    return found.status.containerStatuses?.[0]?.ready && found;
  });
const volumeOf = async (name: string) => (await get<Claim>(`pvc ${name}`)).spec.volumeName ?? "";
const folderOf = async (name: string) => (await get<Volume>(`pv ${await volumeOf(name)}`)).spec.local.path;
const inPod = (name: string, ...command: string[]) => cluster.ok(["exec", name, "--", ...command]);
/** What a pod that has just started writes comes a moment later. */
const finds = (command: [name: string, ...command: string[]], expected: string) =>
  eventually(command.join(" "), async () => {
    expect(await inPod(...command)).toBe(expected);
    return true;
  });
const said = (kind: string, name: string, words: string) =>
  eventually(`${kind} ${name} says ${words}`, async () => {
    const { items } = await get<Events>(
      `events --field-selector involvedObject.kind=${kind},involvedObject.name=${name}`,
    );
    return items.some(({ reason, message }) => `${reason}: ${message}`.includes(words));
  });

beforeAll(async () => {
  cluster = await TestCluster.start();
  const disk = join(cluster.home, "disk");
  mkdirSync(join(disk, "part"), { recursive: true });
  writeFileSync(join(disk, "part", "page"), "by hand");
  const claims = [
    claim("kept", "storageClassName: keep"),
    claim("alone", "", "ReadWriteOncePod"),
    claim("idle", ""),
    claim("lost", "storageClassName: none"),
    claim("by-hand", 'storageClassName: ""'),
  ];
  const pods = [
    pod("keeper", "kept"),
    pod("first", "alone"),
    pod("forced", "idle", "nodeName: node-a"),
    pod("reader", "by-hand", "", ", subPath: part, readOnly: true"),
    ephemeralPod,
  ];
  await cluster.apply([byHand(disk), ...claims, ...pods, database].join(""));
  await Promise.all(["db-0", "keeper", "first", "reader", "scratch"].map(ready));
});
afterAll(() => cluster?.stop());

describe("a cluster begins with a class for its nodes' disks", () => {
  test("which is the default", async () => {
    expect(await cluster.ok("get storageclass")).toMatch(/local-path \(default\) +skerry.dev\/local +Delete +WaitFor/);
  });

  test("and claims of it are bound to folders of the node", async () => {
    const table = await cluster.ok("get pvc data-db-0");
    expect(table).toMatch(/data-db-0 +Bound +pvc-\S+ +64Mi +RWO +local-path/);
    for (const reason of ["ExternalProvisioning", "Provisioning", "ProvisioningSucceeded"])
      await eventually(`an event of ${reason}`, async () =>
        (await cluster.ok("describe pvc data-db-0")).includes(reason),
      );
    expect(await folderOf("data-db-0")).toBe(
      join(cluster.home, "volumes", `${await volumeOf("data-db-0")}_default_data-db-0`),
    );
    await finds(["db-0", "stat", "-c", "%g %a", "/data", "/data/starts"], "2000 2777\n2000 644\n");
  });

  test("a volume made by hand is found by the claim that it is kept for, and its parts can be mounted", async () => {
    expect(await inPod("reader", "cat", "/data/page")).toBe("by hand");
    expect((await cluster.kubectl(["exec", "reader", "--", "touch", "/data/x"])).all).toContain(
      "Read-only file system",
    );
    expect(await cluster.ok("get pv by-hand")).toMatch(/by-hand +1Gi +RWO +Retain +Bound +default\/by-hand/);
  });
});

describe("who has to wait is told why", () => {
  test("a second pod for a claim that is for one alone, until the first is gone", async () => {
    await cluster.apply(pod("second", "alone"));
    await said("Pod", "second", `FailedScheduling: 0/1 nodes are available: 1 ${ALONE}.`);
    await cluster.apply(pod("pushed", "alone", "nodeName: node-a"));
    await said(
      "Pod",
      "pushed",
      `FailedMount: MountVolume.SetUp failed for volume "${await volumeOf("alone")}" : volume uses the ReadWriteOncePod access mode and is already in use by another pod`,
    );
    await cluster.ok("delete pod pushed first");
    await ready("second");
  });

  test("a pod whose claim is not bound, and the claim itself", async () => {
    await said(
      "Pod",
      "forced",
      "FailedMount: Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/idle: PVC is not bound",
    );
    expect((await get<Pod>("pod forced")).status.phase).toBe("Pending");
    expect(await cluster.ok("describe pvc idle")).toMatch(/Status: +Pending/);
    await said("PersistentVolumeClaim", "idle", "waiting for first consumer to be created before binding");
    await said("PersistentVolumeClaim", "lost", 'storageclass.storage.k8s.io "none" not found');
  });
});

describe("what is in a volume is kept", () => {
  test("over the deletion of its pod, and while the agent dies", async () => {
    await inPod("db-0", "sh", "-c", "echo precious > /data/treasure");
    const before = await get<Pod>("pod db-0");
    await cluster.ok("delete pod db-0");
    const after = await eventually("another db-0", async () => {
      const found = await ready("db-0");
      return found.metadata.uid !== before.metadata.uid && found;
    });
    expect(after.spec.nodeName).toBe(before.spec.nodeName);
    await finds(["db-0", "cat", "/data/treasure", "/data/starts"], "precious\nstart\nstart\n");
    await cluster.kill("agent");
    await eventually("db-0 can be reached again", () => inPod("db-0", "sh", "-c", "echo more > /data/more"));
    expect(await inPod("db-0", "cat", "/data/treasure", "/data/more")).toBe("precious\nmore\n");
    const [status] = (await ready("db-0")).status.containerStatuses ?? [];
    expect(status).toMatchObject({ containerID: after.status.containerStatuses?.[0]?.containerID, restartCount: 0 });
  });

  test("a claim that asks for more has it at once", async () => {
    const resources = { requests: { storage: "128Mi" } };
    await cluster.ok(["patch", "pvc", "data-db-0", "-p", JSON.stringify({ spec: { resources } })]);
    await eventually(
      "the claim has more",
      async () => (await get<Claim>("pvc data-db-0")).status.capacity?.storage === "128Mi",
    );
    expect(await cluster.ok(`get pv ${await volumeOf("data-db-0")}`)).toContain("128Mi");
    await said("PersistentVolumeClaim", "data-db-0", "VolumeResizeSuccessful: Resize volume succeeded");
  });

  test("over a loss of power, after which a class that was deleted stays so", async () => {
    await cluster.ok("delete storageclass local-path");
    await cluster.kill("supervisor", "workerd", "agent", "containerd");
    await cluster.supervisorGone();
    await losePower(cluster.home);
    await cluster.up();
    await Promise.all(["db-0", "keeper", "second", "reader"].map(ready));
    expect(await eventually("db-0 runs", () => inPod("db-0", "cat", "/data/treasure", "/data/more"))).toBe(
      "precious\nmore\n",
    );
    expect(await cluster.ok("get storageclass -o name")).toBe("storageclass.storage.k8s.io/keep\n");
  });
});

describe("when a claim is gone", () => {
  test("its volume goes with what is in it, and stays where that was wanted", async () => {
    const [folder, kept] = [await folderOf("data-db-0"), await folderOf("kept")];
    const [volume, keptVolume] = [await volumeOf("data-db-0"), await volumeOf("kept")];
    const scratch = await folderOf("scratch-tmp");
    await eventually("keeper runs", () => inPod("keeper", "touch", "/data/file").then(() => true)); // since the power came
    expect(existsSync(join(folder, "treasure"))).toBe(true);
    await cluster.ok("delete pvc kept --wait=false");
    expect(await cluster.ok("get pvc kept")).toContain("Terminating"); // a pod uses it
    await cluster.ok("delete statefulset/db pod/keeper pod/scratch");
    await eventually("the volume is gone", async () =>
      (await cluster.kubectl(`get pv ${volume}`)).all.includes("NotFound"),
    );
    expect(existsSync(folder)).toBe(false);
    await eventually("the scratch volume is gone", async () => !existsSync(scratch));
    await eventually(
      "the other is released",
      async () => (await get<Volume>(`pv ${keptVolume}`)).status.phase === "Released",
    );
    expect(readdirSync(kept)).toEqual(["file"]);
  });
});
