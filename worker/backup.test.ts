/** Backups and restores of whole clusters, over the API. */
import { expect, test } from "vitest";
import { type ClusterObject, type ClusterObjectOptions, clusterObject } from "../test/support/cluster-object.ts";
import type { CoreV1ConfigMap, CoreV1Pod, CoreV1Secret } from "./kinds/generated/types.ts";
import { PART_BYTES, type Part, readParts, sealPart } from "./lib/backup-format.ts";
import type { ObjectMeta } from "./lib/object.ts";
import { ApiError } from "./lib/status.ts";
import { PROTOCOL_VERSION } from "./protocol/link.ts";
import { nodeSql } from "./storage/node-sql.ts";

type Item = { metadata: ObjectMeta };
type List = { metadata: { resourceVersion: string; continue?: string }; items: Item[] };
type Answer = { restored?: string; revision: number; objects: number };

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const once = async function* (bytes: Uint8Array) {
  yield bytes;
};
async function partsOf(bytes: Uint8Array): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of readParts(once(bytes))) parts.push(part);
  return parts;
}

async function cluster(options: ClusterObjectOptions = {}) {
  const made = clusterObject(options);
  await made.ask("GET", "/api/v1/namespaces");
  await made.settled();
  return made;
}

async function backup(from: ClusterObject): Promise<Uint8Array> {
  const answer = await from.fetch("GET", "/skerry/backup");
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

let restores = 0;
async function send(
  to: ClusterObject,
  part: Part,
  after: string,
  options = "",
  id = `r${restores}`,
): Promise<Response> {
  return to.fetch("POST", `/skerry/restore?id=${id}&after=${after}${options}`, part.bytes as Uint8Array<ArrayBuffer>);
}

async function restore(to: ClusterObject, bytes: Uint8Array, options = ""): Promise<Answer> {
  restores++;
  let check = "";
  let answer: Answer | undefined;
  for (const part of await partsOf(bytes)) {
    const got = await send(to, part, check, options);
    if (got.status !== 200) throw new Error(`${got.status} ${await got.text()}`);
    answer = (await got.json()) as Answer;
    check = part.check;
  }
  await to.settled();
  if (answer?.restored !== check) throw new Error("not restored");
  return answer;
}

/** All that there is, without revisions and what controllers of the node's lease say of the moment. */
async function everything(of: ClusterObject): Promise<unknown> {
  const rows = of.sql.all<{ resource: string; json: string }>(
    "SELECT resource, json FROM objects ORDER BY resource, namespace, name",
  );
  return rows.map(({ resource, json }) => {
    const object = JSON.parse(json) as Item;
    return [resource, { ...object, metadata: { ...object.metadata, resourceVersion: "" } }];
  });
}

const configMap = (name: string, value: string) => ({ metadata: { name }, data: { value, 10: "ten", 9: "nine" } });
const make = (on: ClusterObject, name: string, value = "") =>
  on.ask<CoreV1ConfigMap>("POST", CONFIG_MAPS, configMap(name, value));
const newest = async (of: ClusterObject) => Number((await of.ask<List>("GET", CONFIG_MAPS)).metadata.resourceVersion);

test("what is restored is what was backed up, but for its revisions, which are above all that were", async () => {
  const from = await cluster();
  await make(from, "a", 'é\u2028\n"{}');
  await make(from, "gone");
  const bytes = await backup(from);
  const before = await everything(from);
  await from.ask("PUT", `${CONFIG_MAPS}/a`, configMap("a", "changed"));
  await from.ask("DELETE", `${CONFIG_MAPS}/gone`);
  await make(from, "new");
  const reached = await newest(from);

  const { revision, objects } = await restore(from, bytes, "&replace=true");
  expect(await everything(from)).toEqual(before);
  expect(objects).toBe((before as unknown[]).length);
  expect(revision).toBeGreaterThan(reached);
  const list = await from.ask<List>("GET", CONFIG_MAPS);
  for (const { metadata } of list.items) expect(Number(metadata.resourceVersion)).toBeGreaterThan(reached);
  const { metadata } = await make(from, "after");
  expect(Number(metadata?.resourceVersion)).toBeGreaterThan(revision);
  from.sleep();
  expect(Number((await make(from, "after sleep".replace(" ", "-"))).metadata?.resourceVersion)).toBeGreaterThan(
    revision,
  );
});

test("a backup shows one revision, whatever is written while it is read", async () => {
  const from = await cluster();
  for (let i = 0; i < 40; i++) await make(from, `c${i}`, "x".repeat(PART_BYTES / 16));
  const before = await everything(from);
  const reader = ((await from.fetch("GET", "/skerry/backup")).body as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  for (let n = 0; ; n++) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    await from.ask("PUT", `${CONFIG_MAPS}/c${39 - n}`, configMap(`c${39 - n}`, "changed"));
    await from.ask("DELETE", `${CONFIG_MAPS}/c${20 - n}`);
    await make(from, `d${n}`);
  }
  expect(chunks.length).toBeGreaterThan(2);
  const to = await cluster({ name: "other" });
  await restore(to, new Uint8Array(Buffer.concat(chunks)));
  const uids = (of: unknown) =>
    (of as [string, Item][]).map(([resource, { metadata }]) => `${resource} ${metadata.uid}`);
  // What controllers have to say of the place is said again.
  expect(uids(await everything(to))).toEqual(uids(before));
  expect(await everything(to)).toEqual(before);
});

test("the log keeps what a backup reads, and no longer", async () => {
  const limits = { turnReconciles: 100, turnMs: 8, keepRevisions: 5, compactRows: 50, compactEveryRevisions: 1 };
  const from = await cluster({ platform: { limits } });
  for (let i = 0; i < 40; i++) await make(from, `c${i}`, "x".repeat(PART_BYTES / 16));
  const reader = ((await from.fetch("GET", "/skerry/backup")).body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  const { revision } = JSON.parse(text(value as Uint8Array).split("\n")[0] as string) as { revision: number };
  for (let i = 0; i < 30; i++) await from.ask("PUT", `${CONFIG_MAPS}/c${i}`, configMap(`c${i}`, "changed"));
  const horizon = () =>
    Number(from.sql.all<{ value: string }>("SELECT value FROM settings WHERE name = 'log.horizon'")[0]?.value);
  expect(horizon()).toBeLessThanOrEqual(revision);
  expect((await reader.read()).done).toBe(false);
  from.state.now += 61_000;
  for (let i = 0; i < 30; i++) await from.ask("PUT", `${CONFIG_MAPS}/c${i}`, configMap(`c${i}`, "again"));
  expect(horizon()).toBeGreaterThan(revision);
  await expect(
    (async () => {
      while (!(await reader.read()).done);
    })(),
  ).rejects.toThrow("make it again");
});

test("clients that knew the cluster of before look at everything anew: watches, pages and revisions expire", async () => {
  const from = await cluster();
  for (const name of ["a", "b", "c"]) await make(from, name);
  const bytes = await backup(from);
  await make(from, "d");
  const page = await from.ask<List>("GET", `${CONFIG_MAPS}?limit=1`);
  await from.host().fetch(
    new Request(`https://cluster${CONFIG_MAPS}?watch=true&resourceVersion=${page.metadata.resourceVersion}`, {
      headers: { authorization: await from.authorization(), "x-skerry-internal": "watch" },
    }),
  );
  await from.settled();
  const [watch] = from.sockets.filter(({ tag }) => tag === "watch");
  await restore(from, bytes, "&replace=true");
  expect(watch).toMatchObject({ open: false });
  expect(JSON.parse(watch?.sent.at(-1) ?? "")).toMatchObject({
    type: "ERROR",
    object: { code: 410, reason: "Expired" },
  });
  const again = await from.fetch("GET", `${CONFIG_MAPS}?limit=1&continue=${page.metadata.continue}`);
  expect(again.status).toBe(410);
  const exact = await from.fetch(
    "GET",
    `${CONFIG_MAPS}?resourceVersionMatch=Exact&resourceVersion=${page.metadata.resourceVersion}`,
  );
  expect(exact.status).toBe(410);
});

test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
  ["truncated within a line", (bytes) => bytes.slice(0, -20), "the backup is truncated"],
  ["truncated after a part", (bytes) => bytes.slice(0, bytes.indexOf(10, PART_BYTES) + 80), "the backup is"],
  ["changed in a letter", (bytes) => bytes.with(bytes.length - 3000, 65), "the backup is corrupted"],
  ["with more after its end", (bytes) => new Uint8Array([...bytes, ...bytes]), "something follows its end"],
  ["of another program", () => new TextEncoder().encode('{"kind":"List"}\n'), "this is no backup"],
  ["no text", () => new Uint8Array(5_000_000), "this is no backup"],
  ["empty", () => new Uint8Array(), "it is empty"],
])("a reader refuses a backup that is %s", async (_, change, message) => {
  const from = await cluster();
  for (let i = 0; i < 3; i++) await make(from, `c${i}`, "x".repeat(PART_BYTES / 2));
  const bytes = await backup(from);
  await expect(partsOf(change(bytes))).rejects.toThrow(message);
});

test.each<[string, (lines: string[]) => void, string]>([
  [
    "of a newer format",
    (lines) => lines.splice(0, 1, (lines[0] ?? "").replace('"version":1', '"version":2')),
    "made by a newer release: this one reads up to 1",
  ],
  ["of another program", (lines) => lines.splice(0, 1, "{}"), "this is no backup"],
  ["that lacks objects", (lines) => lines.splice(-2, 1), "it lacks some of its objects"],
  [
    "with an object without a name",
    (lines) => lines.splice(-1, 0, '{"resource":"pods","object":{}}'),
    "has no name or uid",
  ],
  ["with an object twice", (lines) => lines.splice(-2, 1, lines.at(-3) as string), "twice"],
  ["with a line that is no JSON", (lines) => lines.splice(3, 0, "?"), "no JSON object"],
])("a cluster refuses one %s, and stays as it is", async (_, change, message) => {
  const from = await cluster();
  const [part] = await partsOf(await backup(from));
  const lines = [...(part as Part).lines];
  change(lines);
  await make(from, "new");
  const before = await everything(from);
  const sealed = await sealPart("", lines);
  const answer = await send(from, sealed, "", "&replace=true", "bad");
  expect({ code: answer.status, text: await answer.text() }).toEqual({
    code: 400,
    text: expect.stringContaining(message),
  });
  expect(await everything(from)).toEqual(before);
  await make(from, "later");
});

test("a restore that ends at any statement has changed nothing", async () => {
  const sql = nodeSql(":memory:");
  let left = Number.POSITIVE_INFINITY;
  const failing = {
    ...sql,
    run: (...parameters: Parameters<typeof sql.run>) => {
      if (left-- <= 0) throw new ApiError(503, "ServiceUnavailable", "the disk is full");
      sql.run(...parameters);
    },
  };
  const to = await cluster({ platform: { sql: failing, report: () => {} }, sql });
  await make(to, "kept");
  const bytes = await backup(to);
  await make(to, "new");
  const before = await everything(to);
  const tables = ["objects", "refs", "changes", "work", "settings", "credentials"];
  const rows = () =>
    tables.map((table) => sql.all(`SELECT * FROM ${table}`).filter(({ name }) => name !== "restore.state"));
  const stored = rows();
  const [only] = await partsOf(bytes);
  let cuts = 0;
  for (let after = 0; ; after += 1 + Math.floor(after / 8)) {
    left = after;
    const answer = await send(to, only as Part, "", "&replace=true", `cut${after}`).catch(() => undefined);
    left = Number.POSITIVE_INFINITY;
    // One that is done may end before it has answered: who asks again hears of it.
    if (answer?.status === 200 || sql.all("SELECT * FROM settings WHERE name = 'restore.last'").length > 0) break;
    cuts++;
    expect(rows()).toEqual(stored);
    to.sleep();
  }
  expect(cuts).toBeGreaterThan(15);
  await to.settled();
  expect(await everything(to)).not.toEqual(before);
  expect((await to.ask<List>("GET", CONFIG_MAPS)).items.map(({ metadata }) => metadata.name)).not.toContain("new");
});

test("a cluster that is not empty says what it has, and must be told to give it up", async () => {
  const from = await cluster();
  await from.ask("POST", "/api/v1/nodes", { metadata: { name: "a" } });
  const bytes = await backup(from);
  await expect(restore(from, bytes)).rejects.toThrow("409");
  const [part] = await partsOf(bytes);
  expect(await (await send(from, part as Part, "")).text()).toContain("this cluster has 1 nodes");
  await restore(await cluster({ name: "other" }), bytes);
});

test("parts come in their order, each as often as it takes, and of two restores at once the later goes on", async () => {
  const from = await cluster();
  for (let i = 0; i < 8; i++) await make(from, `c${i}`, "x".repeat(PART_BYTES / 2));
  const parts = await partsOf(await backup(from));
  const [a, b, c] = parts as [Part, Part, Part];
  const to = await cluster({ name: "other" });
  const code = async (part: Part, after: string, id: string) => (await send(to, part, after, "", id)).status;
  expect(await code(a, "", "one")).toBe(200);
  expect(await code(c, b.check, "one")).toBe(409);
  expect(await code(b, a.check, "one")).toBe(200);
  expect(await code(b, a.check, "one")).toBe(200);
  to.sleep();
  expect(await code(c, b.check, "two")).toBe(409);
  expect(await code(a, "", "two")).toBe(200);
  expect(await code(c, b.check, "one")).toBe(409);
  let after = a.check;
  for (const part of parts.slice(1)) {
    expect(await code(part, after, "two")).toBe(200);
    if (!part.isLast) after = part.check;
  }
  await to.settled();
  const last = parts.at(-1) as Part;
  const revision = await newest(to);
  expect(await code(last, after, "two")).toBe(200);
  expect(await newest(to)).toBe(revision);
});

test("a restore that nobody goes on with gives its room back", async () => {
  const from = await cluster();
  for (let i = 0; i < 4; i++) await make(from, `c${i}`, "x".repeat(PART_BYTES / 2));
  const parts = await partsOf(await backup(from));
  const to = await cluster({ name: "other" });
  const staged = () => to.sql.all<{ n: number }>("SELECT COUNT(*) AS n FROM staged")[0]?.n;
  expect((await send(to, parts[0] as Part, "", "", "left")).status).toBe(200);
  to.sleep();
  await to.ask("GET", "/api/v1/namespaces");
  expect(staged()).toBeGreaterThan(0);
  to.state.now += 3_600_000;
  to.sleep();
  await to.ask("GET", "/api/v1/namespaces");
  expect(staged()).toBe(0);
  expect((await send(to, parts[1] as Part, (parts[0] as Part).check, "", "left")).status).toBe(409);
});

test("controllers look at all that was restored, and the audit log says who restored it", async () => {
  const from = await cluster();
  const spec = { containers: [{ name: "c", image: "i" }] };
  const template = { metadata: { labels: { app: "web" } }, spec };
  await from.ask("POST", "/apis/apps/v1/namespaces/default/deployments", {
    metadata: { name: "web" },
    spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template },
  });
  await from.settled();
  const [part] = await partsOf(await backup(from));
  // A backup of a moment at which the deployment had been made and nothing else.
  const lines = (part as Part).lines.filter((line) => !/^\{"resource":"(pods|replicasets.apps)"/.test(line));
  const objects = lines.filter((line) => line.startsWith('{"resource"')).length;
  const end = JSON.parse(lines.at(-1) ?? "") as { end: { objects: number } };
  lines[lines.length - 1] = JSON.stringify({ end: { ...end.end, objects } });
  const to = await cluster({ name: "other" });
  const answer = await send(to, await sealPart("", lines), "", "", "look");
  expect(answer.status).toBe(200);
  // The new memory is there when it answers.
  await to.ask("GET", "/version");
  await to.settled();
  expect((await to.ask<List>("GET", "/api/v1/namespaces/default/pods")).items).toHaveLength(2);
  const audit = await to.fetch("GET", "/skerry/audit");
  expect(await audit.text()).toContain("/skerry/restore?id=look");
});

test("whoever asks in the moment of a restore is told to ask again", async () => {
  const from = await cluster();
  const [part] = await partsOf(await backup(from));
  const restoring = send(from, part as Part, "", "", "moment");
  const asking = Array.from({ length: 5 }, (_, i) =>
    from.fetch("POST", CONFIG_MAPS, JSON.stringify(configMap(`m${i}`, ""))),
  );
  const answers = await Promise.all(asking);
  expect((await restoring).status).toBe(200);
  await from.settled();
  const there = (await from.ask<List>("GET", CONFIG_MAPS)).items.map(({ metadata }) => metadata.name);
  for (const [i, answer] of answers.entries()) {
    if (answer.status === 503) expect(answer.headers.get("retry-after")).toBe("1");
    else expect(answer.status).toBe(201);
    expect(there.includes(`m${i}`) && answer.status === 503).toBe(false);
  }
});

async function node(on: ClusterObject, name: string): Promise<string> {
  const { token } = await on.ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 600, replace: true });
  return (await on.ask<{ token: string }>("POST", "/skerry/join", { token, name })).token;
}

async function connect(to: ClusterObject, name: string, token: string, revision: number): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}`, upgrade: "websocket" };
  const answer = await to.host().fetch(new Request(`https://cluster/link/${name}`, { headers }));
  if (answer.status !== 200) return [String(answer.status)];
  const socket = to.sockets.findLast(({ tag }) => tag === "node");
  if (!socket) throw new Error("no socket");
  await to
    .host()
    .message(socket, JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, agent: "x", node: name, revision }));
  await to.settled();
  return socket.sent.map((message) => (JSON.parse(message) as { type: string }).type);
}

const pod = (name: string, more: object = {}) => ({
  metadata: { name, ...more },
  spec: { nodeName: "a", containers: [{ name: "c", image: "i" }] },
});

test("nodes come back to a restored cluster with what they know, and get all that they should have; those that joined later too", async () => {
  const from = await cluster();
  const a = await node(from, "a");
  const bytes = await backup(from);
  const b = await node(from, "b");
  const reached = await newest(from);
  expect(await connect(from, "a", a, 0)).toEqual(["welcome", "snapshot"]);
  await restore(from, bytes, "&replace=true");
  expect(from.sockets.filter(({ tag }) => tag === "node")).toMatchObject([{ open: false, code: 1012 }]);
  expect(await connect(from, "a", a, reached)).toEqual(["welcome", "snapshot"]);
  expect(await connect(from, "b", b, reached)).toEqual(["welcome", "snapshot"]);
});

test("what was set up with a cluster goes with it to another deployment", async () => {
  const from = await cluster({ config: { serviceCIDR: "10.111.0.0/16" } });
  const to = await cluster({ name: "other" });
  await restore(to, await backup(from));
  type Service = { spec: { clusterIP: string } };
  const service = await to.ask<Service>("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "s" },
    spec: { ports: [{ port: 80 }] },
  });
  expect(service.spec.clusterIP).toMatch(/^10\.111\./);
});

test("a fork has its own identity, no machines, and the workloads unplaced", async () => {
  const from = await cluster({ config: { controllers: false } });
  await from.ask("POST", "/api/v1/nodes", { metadata: { name: "a" } });
  const token = await node(from, "a");
  await from.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  const pods = "/api/v1/namespaces/default/pods";
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "u", controller: true };
  await from.ask("POST", pods, pod("bare"));
  await from.ask("POST", pods, pod("owned", { ownerReferences: [owner] }));
  await from.ask("POST", pods, pod("done", { ownerReferences: [owner] }));
  await from.ask("PATCH", `${pods}/done/status`, { status: { phase: "Succeeded" } }).catch(() => undefined);
  const system = "/api/v1/namespaces/kube-system";
  const alerts = ["configmaps/skerry-alerts", "configmaps/skerry-alerts-status", "secrets/skerry-alerts-webpush"];
  for (const [resource = "", name = ""] of alerts.map((one) => one.split("/")))
    await from.ask("POST", `${system}/${resource}`, { metadata: { name } });
  const ask = (on: ClusterObject, path: string, body: object) =>
    on.ask<{ status: { token: string } }>("POST", path, body);
  const account = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const { status } = await ask(from, account, { spec: { audiences: [] } });

  const to = await cluster({ name: "fork", config: { controllers: false } });
  const systemUid = async (of: ClusterObject) =>
    (await of.ask<Item>("GET", "/api/v1/namespaces/kube-system")).metadata.uid;
  const setting = (of: ClusterObject, name: string) =>
    of.sql.all<{ value: string }>("SELECT value FROM settings WHERE name = ?", name)[0]?.value;
  const own = await systemUid(to);
  await restore(to, await backup(from), "&fork=true");
  expect((await to.ask<List>("GET", "/api/v1/nodes")).items).toEqual([]);
  const { items } = await to.ask<{ items: CoreV1Pod[] }>("GET", pods);
  expect(items.map(({ metadata, spec, status: s }) => [metadata.name, spec?.nodeName, s?.phase])).toEqual([
    ["bare", undefined, "Pending"],
  ]);
  const there = await Promise.all(alerts.map(async (one) => (await to.fetch("GET", `${system}/${one}`)).status));
  expect(there).toEqual([200, 404, 404]);
  expect(await systemUid(to)).toBe(own);
  expect(own).not.toBe(await systemUid(from));
  for (const name of ["cluster.id", "cluster.authority", "cluster.front-proxy"]) {
    expect(setting(to, name)).toBeDefined();
    expect(setting(to, name)).not.toEqual(setting(from, name));
  }
  const as = async (of: ClusterObject, bearer: string) =>
    (await of.host().fetch(new Request("https://cluster/version", { headers: { authorization: `Bearer ${bearer}` } })))
      .status;
  expect([await as(from, status.token), await as(to, status.token)]).toEqual([200, 401]);
  expect(await connect(to, "a", token, 0)).toEqual(["401"]);
});

test("secrets are in a backup as they are, so that another deployment can read them", async () => {
  const from = await cluster();
  const secrets = "/api/v1/namespaces/default/secrets";
  await from.ask("POST", secrets, { metadata: { name: "s" }, stringData: { password: "open sesame" } });
  const to = await cluster({ name: "other" });
  await restore(to, await backup(from));
  const { data } = await to.ask<CoreV1Secret>("GET", `${secrets}/s`);
  expect(atob(data?.password ?? "")).toBe("open sesame");
});

test("only administrators may make a backup or restore one", async () => {
  const from = await cluster();
  const token = await node(from, "a");
  for (const [method, path] of [
    ["GET", "/skerry/backup"],
    ["POST", "/skerry/restore?id=x"],
  ] as const) {
    const request = new Request(`https://cluster${path}`, { method, headers: { authorization: `Bearer ${token}` } });
    expect((await from.host().fetch(request)).status).toBe(403);
  }
});
