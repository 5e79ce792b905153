/** The data of volumes on nodes' own disks: into a file, out of it, and to another node. */
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { checked } from "../support/programs.ts";

type Volume = {
  metadata: { uid: string; annotations: Record<string, string> };
  spec: { local: { path: string } };
};

let lan: Lan;
let cluster: TestCluster;
let second: Machine;

const database = (name: string, node: string) => `
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ${name} }
spec:
  serviceName: ${name}
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - { weight: 100, preference: { matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [${node}] }] } }
      containers:
        - name: c
          image: busybox:test
          command: [sh, -c, 'echo start >> /data/starts; exec sleep 100000']
          volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 64Mi } } }
`;

const volumeOf = async (claim: string) => {
  const name = await cluster.ok(["get", "pvc", claim, "-o", "jsonpath={.spec.volumeName}"]);
  return cluster.json<Volume>(`get pv ${name}`);
};
const nodeOf = async (claim: string) => (await volumeOf(claim)).metadata.annotations["skerry.dev/node"];
const pathOf = async (claim: string) => (await volumeOf(claim)).spec.local.path;
const skerry = async (...args: string[]) => {
  const done = await cluster.skerry("volume", ...args);
  return { ...done, all: `${done.stdout}${done.stderr}` };
};
const done = async (...args: string[]) => {
  const { code, all } = await skerry(...args);
  if (code !== 0) throw new Error(`skerry volume ${args.join(" ")} ended with ${code}: ${all}\n${cluster.logs()}`);
  return all;
};
const ready = (pod: string) =>
  eventually(`${pod} is ready`, async () => {
    const shown = await cluster.ok([
      "get",
      "pod",
      pod,
      "-o",
      'jsonpath={.spec.nodeName} {.status.conditions[?(@.type=="Ready")].status}',
    ]);
    const [node, isReady] = shown.split(" ");
    return isReady === "True" && node;
  });
/** Everything that tar keeps, as far as stat(1), getfattr(1) and the files themselves tell. */
const looks = async (folder: string) => {
  const script = `cd ${folder} && find . -mindepth 1 ! -name starts | sort | while read -r f; do
    stat -c '%n %F %a %u:%g %h %s %Y %N' "$f"; done; cat text; test $(stat -c %b holes) -lt 8192 && echo sparse; getcap program`;
  return (await checked("sh", ["-c", script])).stdout;
};

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ nodeIp: lan.host });
  second = await Machine.make("node-b", lan, 2);
  cluster.machines.push(second);
  await second.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
  await eventually("node-b is Ready", async () =>
    (await cluster.ok("get nodes --no-headers")).split("\n").some((row) => /^node-b\s+Ready\s/.test(row)),
  );
  await cluster.apply(database("db", "node-a") + database("cache", "node-a"));
  for (const pod of ["db-0", "cache-0"]) expect(await ready(pod)).toBe("node-a");
  const folder = await pathOf("data-db-0");
  const files = `cd ${folder} && echo hello >text && ln text hard && ln -s text soft && mkdir -p deep/er &&
    touch deep/er/owned && chown 1234:2345 deep/er/owned && chmod 4751 deep/er/owned && mkfifo pipe &&
    truncate -s 64M holes && echo end >>holes && cp /bin/true program && setcap cap_net_bind_service+ep program &&
    touch -d 2001-02-03T04:05:06Z text && head -c 30000000 /dev/urandom >large`;
  await checked("sh", ["-c", files]);
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

test("a backup has all that a volume has, and is restored whole into a claim that is new or unused", async () => {
  const file = join(cluster.home, "data.tar.gz");
  expect(await done("backup", "default/data-db-0", "--to", file)).toContain("pods use the volume meanwhile");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const source = await pathOf("data-db-0");

  // Into a claim that is made for it.
  expect((await skerry("restore", "default/copy", "--from", file)).all).toContain("with --size one is made");
  expect((await skerry("restore", "default/copy", "--from", file, "--size", "64Mi")).all).toContain(
    "name with --node where the volume is to lie: node-a, node-b",
  );
  await done("restore", "default/copy", "--from", file, "--node", "node-a");
  const copy = await pathOf("copy");
  expect(copy).not.toBe(source);
  expect(await looks(copy)).toBe(await looks(source));
  await checked("cmp", [join(copy, "large"), join(source, "large")]);

  // One that is used, or has data, stays as it is.
  expect((await skerry("restore", "default/data-db-0", "--from", file, "--replace")).all).toContain(
    "pods use the volume: db-0",
  );
  expect((await skerry("restore", "default/copy", "--from", file)).all).toContain("nothing was changed");
  const plain = join(cluster.home, "data.tar");
  await checked("sh", ["-c", `gzip -dc ${file} >${plain}`]);
  writeFileSync(join(copy, "text"), "changed");
  truncateSync(plain, 20_000_000);
  expect((await skerry("restore", "default/copy", "--from", plain, "--replace")).all).toContain(
    "nothing was changed: not unpacked: tar: Unexpected EOF in archive",
  );
  expect(readFileSync(join(copy, "text"), "utf8")).toBe("changed");
  await done("restore", "default/copy", "--from", file, "--replace");
  expect(await looks(copy)).toBe(await looks(source));
});

test("who may read a volume's data is said by RBAC, by its path", async () => {
  await cluster.ok("create namespace team");
  await cluster.ok("create serviceaccount keeper");
  const token = (await cluster.ok("create token keeper")).trim();
  const as = (path: string) => cluster.kubectl(["get", "--raw", path, "--token", token]);
  const read = async (path: string) => {
    const url = `https://127.0.0.1:${cluster.port}${path}`;
    const curl = ["-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", `Authorization: Bearer ${token}`, url];
    return (await run("curl", curl)).stdout;
  };
  expect((await as("/skerry/volumes/default/copy")).all).toContain("cannot get path");
  await cluster.ok("create clusterrole keeper --verb=get --non-resource-url=/skerry/volumes/default/*");
  await cluster.ok("create clusterrolebinding keeper --clusterrole=keeper --serviceaccount=default:keeper");
  expect(await read("/skerry/volumes/default/copy")).toBe("200");
  expect(await read("/skerry/volumes/team/data")).toBe("403");
  expect(await read("/skerry/volumes/default/none")).toBe("404");
});

test("a volume moves to another node with its data; its claim stays, and its pods go on there", async () => {
  const before = await volumeOf("data-db-0");
  const uid = await cluster.ok(["get", "pvc", "data-db-0", "-o", "jsonpath={.metadata.uid}"]);
  const looked = await looks(before.spec.local.path);
  expect((await skerry("move", "default/data-db-0", "--to-node", "node-b")).all).toContain(
    "pods use the volume: db-0. With --stop they are evicted",
  );
  expect(await done("move", "default/data-db-0", "--to-node", "node-b", "--stop")).toContain("is on node node-b");
  expect(await ready("db-0")).toBe("node-b");
  const after = await volumeOf("data-db-0");
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
  expect(await cluster.ok(["get", "pvc", "data-db-0", "-o", "jsonpath={.metadata.uid} {.status.phase}"])).toBe(
    `${uid} Bound`,
  );
  expect(after.spec.local.path.startsWith(second.home)).toBe(true);
  expect(await looks(after.spec.local.path)).toBe(looked);
  await eventually(
    "it has started twice",
    async () => (await cluster.ok("exec db-0 -- cat /data/starts")) === "start\nstart\n",
  );
  await eventually("the first node has removed its copy", async () => !existsSync(before.spec.local.path));
  await eventually(
    "it is told of",
    async () => !(await volumeOf("data-db-0")).metadata.annotations["skerry.dev/left-on"],
  );
});

test("a move goes on when both agents and the control plane are killed while it copies", async () => {
  const from = await pathOf("data-cache-0");
  await checked("sh", ["-c", `head -c 300000000 /dev/urandom >${from}/large`]);
  const sum = (await checked("sha256sum", [join(from, "large")])).stdout.split(" ")[0];
  await done("move", "default/data-cache-0", "--to-node", "node-b", "--stop", "--no-wait");
  const ls = (path: string) => run("sh", ["-c", `ls ${path}`]);
  await eventually(
    "it is being copied, or has been already",
    async () =>
      (await ls(`${second.home}/volumes/.incoming`)).stdout !== "" || (await nodeOf("data-cache-0")) === "node-b",
  );
  await second.kill();
  await cluster.kill("workerd", "agent");
  const whole = await Promise.all([from, `${second.home}/volumes/*_data-cache-0.*`].map((path) => ls(`${path}/large`)));
  expect(whole.some(({ code }) => code === 0)).toBe(true);
  await second.resume(`https://${lan.host}:${cluster.port}`);
  await eventually("the volume is on node-b", async () => (await nodeOf("data-cache-0")) === "node-b");
  expect(await ready("cache-0")).toBe("node-b");
  const there = join(await pathOf("data-cache-0"), "large");
  expect((await checked("sha256sum", [there])).stdout.split(" ")[0]).toBe(sum);
  await eventually("nothing is left", async () => !existsSync(from));
});

test("a move through the bucket needs one node at a time, and goes on when anything is killed", async () => {
  const before = await pathOf("copy");
  const looked = await looks(before);
  const sum = async (folder: string) => (await checked("sha256sum", [join(folder, "large")])).stdout.split(" ")[0];
  const whole = await sum(before);
  const inBucket = async () =>
    (await run("find", [join(cluster.home, "bucket/default/transfers"), "-type", "f"])).stdout;
  const annotation = async (name: string) => (await volumeOf("copy")).metadata.annotations[`skerry.dev/${name}`];
  const moved = async (to: string) => {
    await eventually(`the volume is on ${to}`, async () => (await nodeOf("copy")) === to);
    const there = await pathOf("copy");
    expect(await looks(there)).toBe(looked);
    expect(await sum(there)).toBe(whole);
  };
  const clean = async () => {
    await eventually("the first node has removed its own", async () => (await annotation("left-on")) === undefined);
    expect(await inBucket()).toBe("");
    expect(await annotation("transfer")).toBeUndefined();
  };

  // The one that it goes to is away.
  await second.kill();
  await done("move", "default/copy", "--to-node", "node-b", "--through", "bucket", "--no-wait");
  await eventually("some of it is in the bucket", async () => (await inBucket()) !== "");
  await cluster.kill("workerd", "agent");
  await eventually("all of it is in the bucket", async () => (await annotation("transferred")) === "true");
  expect(await nodeOf("copy")).toBe("node-a");
  await second.resume(`https://${lan.host}:${cluster.port}`);
  await eventually(
    "it comes",
    async () =>
      (await run("ls", [`${second.home}/volumes/.incoming`])).stdout !== "" || (await nodeOf("copy")) === "node-b",
  );
  await second.kill();
  await second.resume(`https://${lan.host}:${cluster.port}`);
  await moved("node-b");
  await clean();
  expect(existsSync(before)).toBe(false);

  // The one that it comes from is away as soon as it has sent all.
  await done("move", "default/copy", "--to-node", "node-a", "--through", "bucket", "--no-wait");
  await eventually(
    "all of it is in the bucket",
    async () => (await annotation("transferred")) === "true" || (await nodeOf("copy")) === "node-a",
  );
  await second.kill();
  await moved("node-a");
  await second.resume(`https://${lan.host}:${cluster.port}`);
  await clean();
});
