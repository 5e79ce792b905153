import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import type { Json } from "../../../worker/protocol/link.ts";
import { effects } from "../../effects.ts";
import { run } from "../../process.ts";
import type { Bucket } from "./copying.ts";
import { packed } from "./data.ts";
import { machineFolders, ProvisionedVolumes } from "./provisioned.ts";

const root = mkdtempSync(join(tmpdir(), "skerry-provisioned-"));
afterAll(() => rmSync(root, { recursive: true }));

let home = "";
let made = 0;
let told: Json[] = [];
let failures: string[] = [];
let isOnline = true;
let retry: (() => void) | undefined;
let volumes: ProvisionedVolumes;

beforeEach(() => {
  home = join(root, `${made++}`);
  told = [];
  failures = [];
  isOnline = true;
  retry = undefined;
  const after = (_ms: number, body: () => void) => {
    retry = body;
    return () => {};
  };
  const api = async (_method: string, path: string, body?: Json) => {
    if (!isOnline) throw new Error("offline");
    expect(path).toBe("/api/v1/nodes/node-a");
    told.push((body as { metadata: { annotations: { [name: string]: Json } } }).metadata.annotations);
    return { code: 200, body: {} };
  };
  volumes = new ProvisionedVolumes({
    home,
    node: "node-a",
    api,
    timers: { after, sleep: async () => {} },
    folders: machineFolders(home),
  });
  volumes.onFailure = (volume, _reason, message) => failures.push(`${volume.metadata?.name}: ${message}`);
});

function volume(name: string, phase: string, more: { path?: string; node?: string; policy?: string } = {}) {
  const { path = join(home, "volumes", `${name}_default_data`), node = "node-a", policy = "Delete" } = more;
  return {
    metadata: {
      name,
      annotations: { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", "skerry.dev/node": node },
    },
    spec: { local: { path }, persistentVolumeReclaimPolicy: policy },
    status: { phase },
  } as CoreV1PersistentVolume;
}

function tryAgain(): void {
  const again = retry;
  retry = undefined;
  again?.();
}

const until = async (check: () => boolean) => {
  for (let i = 0; i < 12_000 && !check(); i++) await effects.sleep(5);
  expect(check()).toBe(true);
};
const removed = (names: string | null, received: string | null = null) => ({
  "skerry.dev/volumes-removed": names,
  "skerry.dev/volumes-received": received,
});

test("a volume's folder is made when it is first mounted, for whoever a container runs as", async () => {
  const one = volume("pvc-1", "Bound");
  await volumes.make(one);
  const folder = join(home, "volumes/pvc-1_default_data");
  expect(statSync(folder).mode & 0o777).toBe(0o777);
  writeFileSync(join(folder, "kept"), "");
  await volumes.make(one);
  expect(existsSync(join(folder, "kept"))).toBe(true);
});

test.each(["/tmp/skerry-elsewhere", "OWN/../pvc-1_x", "OWN/pvc-2_x", "OWN/pvc-1_x/deeper"])(
  "nothing is made or removed at %s",
  async (place) => {
    const path = place.replace("OWN", join(home, "volumes"));
    mkdirSync(path, { recursive: true });
    await volumes.make(volume("pvc-1", "Bound", { path: `${path}-new` }));
    expect(existsSync(`${path}-new`)).toBe(false);
    volumes.sync([volume("pvc-1", "Released", { path })]);
    await until(() => told.length > 0);
    expect(existsSync(path)).toBe(true);
    rmSync(path, { recursive: true });
  },
);

test("what is released is removed and told of, until it is gone; all else stays", async () => {
  const [one, other, kept] = [volume("pvc-1", "Bound"), volume("pvc-2", "Bound"), volume("pvc-3", "Bound")];
  for (const each of [one, other, kept]) await volumes.make(each);
  volumes.sync([one, other, kept]);
  volumes.sync([
    volume("pvc-1", "Released"),
    volume("pvc-2", "Released", { policy: "Retain" }),
    volume("pvc-3", "Released", { node: "node-b" }),
  ]);
  await until(() => told.length > 0);
  const left = ["pvc-1", "pvc-2", "pvc-3"].map((name) => existsSync(join(home, "volumes", `${name}_default_data`)));
  expect(left).toEqual([false, true, true]);
  expect(told).toEqual([removed("pvc-1")]);
  volumes.online();
  await until(() => told.length > 1);
  volumes.sync([]);
  await until(() => told.length > 2);
  expect(told.slice(1)).toEqual([removed("pvc-1"), removed(null)]);
});

test("without an uplink it is told later, and while a pod has it, it is kept", async () => {
  const one = volume("pvc-1", "Released");
  await volumes.make(volume("pvc-1", "Bound"));
  const use = join(home, "pods/uid/volumes/kubernetes.io~local-volume/pvc-1");
  mkdirSync(use, { recursive: true });
  volumes.sync([one]);
  await until(() => retry !== undefined);
  expect(existsSync(join(home, "volumes/pvc-1_default_data"))).toBe(true);
  rmSync(use, { recursive: true });
  isOnline = false;
  tryAgain();
  await until(() => !existsSync(join(home, "volumes/pvc-1_default_data")) && retry !== undefined);
  expect(told).toEqual([]);
  isOnline = true;
  tryAgain();
  await until(() => told.length > 0);
  expect(told).toEqual([removed("pvc-1")]);
  expect(failures).toEqual([]);
});

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
const archiveOf = async (folder: string) => Readable.from(await collect(packed(folder, true)));

test("a volume's data is replaced as a whole, and only where nobody has it", async () => {
  const source = join(home, "source");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "new"), "x".repeat(100_000));
  const named = { name: "pvc-1", path: join(home, "volumes/pvc-1_default_data") };
  await volumes.write(named, await archiveOf(source), false);
  expect(readFileSync(join(named.path, "new"), "utf8")).toHaveLength(100_000);
  await expect(volumes.write(named, await archiveOf(source), false)).rejects.toThrow("must be told to replace");

  writeFileSync(join(named.path, "old"), "");
  const part = (await collect(packed(source, true))).map((bytes) => bytes.subarray(0, 50_000)).slice(0, 1);
  await expect(volumes.write(named, Readable.from(part), true)).rejects.toThrow();
  expect(readdirSync(named.path).sort()).toEqual(["new", "old"]);
  await volumes.write(named, await archiveOf(source), true);
  expect(readdirSync(named.path)).toEqual(["new"]);
  expect(readdirSync(join(home, "volumes/.incoming"))).toEqual([]);

  const use = join(home, "pods/uid/volumes/kubernetes.io~local-volume/pvc-1");
  mkdirSync(use, { recursive: true });
  await expect(volumes.write(named, await archiveOf(source), true)).rejects.toThrow("pods have the volume: uid");
  await expect(collect(volumes.read(named, true))).rejects.toThrow("pods have the volume: uid");
  const elsewhere = { name: "pvc-1", path: join(home, "source") };
  await expect(volumes.write(elsewhere, await archiveOf(source), true)).rejects.toThrow("no volume of this node");
});

test("what is being restored is not read for a move, neither at its begin nor at its end", async () => {
  const source = join(home, "source");
  mkdirSync(source, { recursive: true });
  const named = { name: "pvc-1", path: join(home, "volumes/pvc-1_default_data") };
  await volumes.make(volume("pvc-1", "Bound"));
  const archive = Buffer.concat(await collect(packed(source, true)));
  const reading = volumes.read(named, true)[Symbol.asyncIterator]();
  expect((await reading.next()).done).toBe(false);
  const slow = new PassThrough();
  const writing = volumes.write(named, slow, false);
  await expect(reading.next()).rejects.toThrow("the volume is being restored");
  await expect(collect(volumes.read(named, true))).rejects.toThrow("the volume is being restored");
  await expect(volumes.write(named, Readable.from([]), true)).rejects.toThrow("the volume is being restored");
  await expect(volumes.make(volume("pvc-1", "Bound"))).rejects.toThrow("the volume is being restored");
  slow.end(archive);
  await writing;
  await expect(collect(volumes.read(named, true))).resolves.not.toEqual([]);
});

test("what a foreign archive does not say of a volume's root is as it was, or as that of a new one", async () => {
  const source = join(home, "source");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "file"), "");
  const bare = async () => {
    await run("tar", ["--create", "--file", join(home, "bare.tar"), "--directory", source, "file"]);
    return createReadStream(join(home, "bare.tar"));
  };
  const named = { name: "pvc-1", path: join(home, "volumes/pvc-1_default_data") };
  await volumes.write(named, await bare(), false);
  expect(statSync(named.path).mode & 0o7777).toBe(0o777);
  chmodSync(named.path, 0o2770);
  await volumes.write(named, await bare(), true);
  expect(statSync(named.path).mode & 0o7777).toBe(0o2770);
  // One that does is believed.
  chmodSync(source, 0o750);
  await volumes.write(named, await archiveOf(source), true);
  expect(statSync(named.path).mode & 0o7777).toBe(0o750);
});

/** As an agent leaves it that is killed while it replaces data. */
function killed(replaced: boolean) {
  const folder = join(home, "volumes/pvc-1_default_data");
  const former = join(home, "volumes/.incoming/pvc-1_default_data.former");
  mkdirSync(join(former, "deep"), { recursive: true });
  writeFileSync(join(former, "old"), "");
  if (replaced) mkdirSync(folder);
  if (replaced) writeFileSync(join(folder, "new"), "");
  const list = () => readdirSync(folder).sort();
  return { named: { name: "pvc-1", path: folder }, former, list };
}

const ways: [string, (named: { name: string; path: string }) => Promise<unknown>][] = [
  ["mounts", () => volumes.make(volume("pvc-1", "Bound"))],
  ["reads", (named) => collect(volumes.read(named, true))],
  ["asks", (named) => volumes.check(named, true)],
];
test.each(ways)("data that was being replaced by an agent that was killed is back for who %s", async (_way, use) => {
  const { named, former, list } = killed(false);
  await use(named);
  expect(list()).toEqual(["deep", "old"]);
  expect(existsSync(former)).toBe(false);
});

test.each(ways)("what replaced it is kept, and the rest goes, for who %s", async (_way, use) => {
  const { named, former, list } = killed(true);
  await use(named);
  expect(list()).toEqual(["new"]);
  expect(existsSync(former)).toBe(false);
});

test.each([false, true])("data is replaced also after that (all of the new was there: %s)", async (replaced) => {
  const { named, former, list } = killed(replaced);
  const source = join(home, "source");
  mkdirSync(source);
  writeFileSync(join(source, "newest"), "");
  await expect(volumes.write(named, await archiveOf(source), false)).rejects.toThrow("must be told to replace");
  await volumes.write(named, await archiveOf(source), true);
  expect(list()).toEqual(["newest"]);
  expect(existsSync(former)).toBe(false);
});

test("an empty folder is no reason to give up what was being replaced", async () => {
  const { named, list } = killed(false);
  mkdirSync(named.path);
  await volumes.check(named, true);
  expect(list()).toEqual(["deep", "old"]);
});

/** An agent that keeps what it tells, what fails, and when it is to try again. */
function listening(parts: Partial<ConstructorParameters<typeof ProvisionedVolumes>[0]>): ProvisionedVolumes {
  const api = async (_method: string, _path: string, body?: Json) => {
    if (!isOnline) throw new Error("offline");
    told.push((body as { metadata: { annotations: { [name: string]: Json } } }).metadata.annotations);
    return { code: 200, body: {} };
  };
  const after = (_ms: number, body: () => void) => {
    retry = body;
    return () => {};
  };
  const timers = { after, sleep: async () => {} };
  const made = new ProvisionedVolumes({ home, node: "node-a", folders: machineFolders(home), api, timers, ...parts });
  made.onFailure = (_volume, reason, message) => failures.push(`${reason}: ${message}`);
  return made;
}

test("a volume that moves here is brought once, and told of when it is whole; what is left of one is removed", async () => {
  let brought = 0;
  const source = {
    async receive(_claim: object, folder: string) {
      brought++;
      if (brought === 1) throw new Error("broke off");
      mkdirSync(folder, { recursive: true });
    },
  };
  const moving = listening({ source });
  const there = volume("pvc-1", "Bound", { node: "node-b", path: "/elsewhere/pvc-1_default_data" });
  const annotated = (name: string, folder: string) => ({
    ...there,
    metadata: { ...there.metadata, annotations: { ...there.metadata?.annotations, [`skerry.dev/${name}`]: folder } },
  });
  const coming = annotated("moving-to", "node-a/pvc-1_default_data.1");
  moving.sync([coming]);
  await until(() => retry !== undefined);
  expect(failures).toEqual(["VolumeMoveFailed: broke off"]);
  tryAgain();
  await until(() => told.length > 0);
  moving.sync([coming]);
  expect(told).toEqual([removed(null, "pvc-1_default_data.1")]);
  await expect(moving.make({ ...coming, spec: { local: { path: join(home, "volumes/pvc-1_x") } } })).rejects.toThrow(
    "the volume is being moved to node node-a",
  );
  // It was called off.
  moving.sync([annotated("left-on", "node-a/pvc-1_default_data.1")]);
  await until(() => told.length > 2);
  expect(told.slice(1)).toEqual([removed(null), removed("pvc-1_default_data.1")]);
  expect(readdirSync(join(home, "volumes"))).toEqual([]);
  expect(brought).toBe(2);
});

/** An agent whose volumes go through a bucket that does what the test says. */
function throughBucket(bucket: Partial<Bucket>) {
  const refused = async () => {
    throw new Error("nobody was to ask for it");
  };
  const agent = listening({ bucket: { send: refused, receive: refused, remove: refused, ...bucket } });
  const folder = (name: string) => join(home, "volumes", `pvc-1_default_data${name}`);
  const annotated = (annotations: Record<string, string>) => {
    const made = volume("pvc-1", "Bound");
    const words = Object.entries(annotations).map(([name, value]) => [`skerry.dev/${name}`, value]);
    return {
      ...made,
      metadata: { ...made.metadata, annotations: { ...made.metadata?.annotations, ...Object.fromEntries(words) } },
    };
  };
  return { agent, folder, annotated };
}

test("a folder that is left here goes before its copy in the bucket, and without it where another node is to have that", async () => {
  const removals: boolean[] = [];
  const { agent, folder, annotated } = throughBucket({
    async remove() {
      removals.push(existsSync(folder(".1")));
      if (removals.length === 1) throw new Error("the bucket is away");
    },
  });
  mkdirSync(folder(".1"), { recursive: true });
  const left = { "left-on": "node-a/pvc-1_default_data.1", transfer: "1", transferred: "true" };
  agent.sync([annotated({ ...left, node: "node-b" })]);
  await until(() => retry !== undefined);
  expect(failures).toEqual(["VolumeFailedDelete: the bucket is away"]);
  tryAgain();
  await until(() => told.length > 0);
  expect(told).toEqual([removed("pvc-1_default_data.1")]);
  expect(removals).toEqual([false, false]);

  const other = throughBucket({});
  mkdirSync(folder(".1"));
  other.agent.sync([other.annotated({ ...left, node: "node-b", "moving-to": "node-c/pvc-1_default_data.2" })]);
  await until(() => told.length > 1);
  expect(told[1]).toEqual(removed("pvc-1_default_data.1"));
  expect(failures).toHaveLength(1);
});

test("that a volume's data is here is told again where it could not be told at first", async () => {
  const { agent, annotated } = throughBucket({ receive: async () => {} });
  isOnline = false;
  agent.sync([annotated({ "moving-to": "node-a/pvc-1_default_data.1", transfer: "1", transferred: "true" })]);
  await until(() => retry !== undefined);
  isOnline = true;
  tryAgain();
  await until(() => told.length > 0);
  expect(told).toEqual([removed(null, "pvc-1_default_data.1")]);
});

test("a copy in the bucket is removed also while pods have the volume where it lies", async () => {
  const removals: string[] = [];
  const { agent, folder, annotated } = throughBucket({
    async remove({ name }) {
      removals.push(name);
    },
  });
  mkdirSync(folder(""), { recursive: true });
  mkdirSync(join(home, "pods/uid-1/volumes/kubernetes.io~local-volume/pvc-1"), { recursive: true });
  agent.sync([annotated({ "left-on": "node-a/pvc-1_default_data.1", transfer: "1", transferred: "true" })]);
  await until(() => told.length > 0);
  expect(removals).toEqual(["1"]);
  expect(existsSync(folder(""))).toBe(true);
});

test("what comes back from the bucket is what is here still, and is read there where that is lost", async () => {
  const back = { "moving-to": "node-a/pvc-1_default_data", transfer: "1", transferred: "true" };
  const { agent, folder, annotated } = throughBucket({});
  mkdirSync(folder(""), { recursive: true });
  writeFileSync(join(folder(""), "kept"), "data");
  agent.sync([annotated(back)]);
  await until(() => told.length > 0);
  expect(told).toEqual([removed(null, "pvc-1_default_data")]);
  expect(readFileSync(join(folder(""), "kept"), "utf8")).toBe("data");

  rmSync(join(folder(""), "kept")); // as a backup leaves it that found none
  const asked: string[] = [];
  const empty = throughBucket({
    async receive({ name }, to) {
      asked.push(name, to);
    },
  });
  empty.agent.sync([annotated(back)]);
  await until(() => told.length > 1);
  expect(asked).toEqual(["1", folder("")]);
  expect(failures).toEqual([]);
});

test("a volume is held to its size when its first pod comes, when it grows, and by the next agent; what fails is told once", async () => {
  const limited: string[] = [];
  let isBroken = false;
  const sizes = {
    async limit(folder: string, bytes: number) {
      if (isBroken) throw new Error("setquota: no");
      limited.push(`${folder.slice(folder.lastIndexOf("/") + 1)} ${bytes}`);
    },
    async free(folder: string) {
      limited.push(`${folder.slice(folder.lastIndexOf("/") + 1)} freed`);
    },
  };
  const sized = (storage: string, phase = "Bound") => {
    const made = volume("pvc-1", phase);
    return { ...made, spec: { ...made.spec, capacity: { storage } } } as CoreV1PersistentVolume;
  };
  const agent = () => {
    const api = async () => ({ code: 200, body: {} });
    const timers = { after: () => () => {}, sleep: async () => {} };
    const folders = machineFolders(home, sizes);
    const next = new ProvisionedVolumes({ home, node: "node-a", api, timers, folders });
    next.onFailure = (_, reason, message) => failures.push(`${reason}: ${message}`);
    return next;
  };
  let next = agent();
  next.sync([sized("1Ki")]); // no pod has had it yet
  await next.make(sized("1Ki"));
  for (const size of ["1Ki", "2Ki", "2Ki"]) next.sync([sized(size)]);
  await until(() => limited.length === 2);
  next = agent();
  next.sync([sized("2Ki")]);
  expect(limited).toEqual(["pvc-1_default_data 1024", "pvc-1_default_data 2048", "pvc-1_default_data 2048"]);
  isBroken = true;
  for (const size of ["4Ki", "4Ki"]) next.sync([sized(size)]);
  await until(() => failures.length > 0);
  expect(failures).toEqual(["VolumeSizeNotEnforced: setquota: no"]);
  next.sync([sized("4Ki", "Released")]);
  await until(() => !existsSync(join(home, "volumes/pvc-1_default_data")));
  expect(limited[3]).toBe("pvc-1_default_data freed");
});

test("a folder gets its first bound while no pod has it, the pod's own making waits for that, and a move that began meanwhile", async () => {
  const asked: boolean[] = [];
  let isOver = () => {};
  const sizes = {
    async limit(_folder: string, _bytes: number, mayAdopt: () => boolean) {
      asked.push(mayAdopt());
      await new Promise<void>((resolve) => {
        isOver = resolve;
      });
    },
    free: async () => {},
  };
  const api = async () => ({ code: 200, body: {} });
  const timers = { after: () => () => {}, sleep: async () => {} };
  const held = new ProvisionedVolumes({ home, node: "node-a", api, timers, folders: machineFolders(home, sizes) });
  const made = volume("pvc-1", "Bound");
  const sized = { ...made, spec: { ...made.spec, capacity: { storage: "1Ki" } } } as CoreV1PersistentVolume;
  await volumes.make(made); // by an agent that held nothing to its size
  held.sync([sized]);
  await until(() => asked.length === 1);
  let isMade = false;
  const making = held.make(sized).then(() => {
    isMade = true;
  });
  await effects.sleep(20);
  expect(isMade).toBe(false);
  isOver();
  await making;
  expect(asked).toEqual([true]);

  const use = join(home, "pods/uid/volumes/kubernetes.io~local-volume/pvc-1");
  mkdirSync(use, { recursive: true });
  const second = held.make(sized);
  await until(() => asked.length === 2);
  isOver();
  await second;
  rmSync(use, { recursive: true });
  const third = held.make(sized);
  await until(() => asked.length === 3);
  expect(asked).toEqual([true, false, true]);
  const annotations = { ...sized.metadata?.annotations, "skerry.dev/moving-to": "node-b/pvc-1_default_data.1" };
  held.sync([{ ...sized, metadata: { ...sized.metadata, annotations } }]);
  isOver();
  await expect(third).rejects.toThrow("the volume is being moved to node node-b");
});
