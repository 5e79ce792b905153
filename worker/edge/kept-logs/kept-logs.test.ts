import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { effects } from "../../effects.ts";
import type { KeptLog } from "../../lib/facts/kept-log.ts";
import type { Bucket } from "../bucket.ts";
import { Seal } from "../sealed-chunks.ts";
import { orOfGone } from "./gone-pods.ts";
import { keptInstead, openKeptLogs } from "./kept-logs.ts";
import { holdWithin, inOrder, keyOf, listKept, type Portion, removeAllOutdated, shortened } from "./portions.ts";

const UID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 27, 12);

function memoryBucket(): Bucket & { keys(): string[] } {
  const files = new Map<string, Uint8Array>();
  return {
    keys: () => [...files.keys()],
    put: async (key, bytes) => void files.set(key, bytes),
    get: async (key) => files.get(key)?.slice() as Uint8Array<ArrayBuffer> | undefined,
    open: async (key) => {
      const bytes = files.get(key);
      return bytes && new Blob([bytes.slice()]).stream();
    },
    async list(folder, beginning = "") {
      const below = [...files.keys()].flatMap((key) =>
        key.startsWith(`${folder}/${beginning}`) ? [key.slice(folder.length + 1)] : [],
      );
      const folders = below.filter((name) => name.includes("/")).map((name) => name.slice(0, name.indexOf("/")));
      return { files: below.filter((name) => !name.includes("/")), folders: [...new Set(folders)] };
    },
    remove: async (keys) => {
      for (const key of keys) files.delete(key);
    },
  };
}

const portion = (number: number, more: Partial<Portion> = {}): Portion => ({
  pod: "web-0",
  uid: UID,
  container: "c",
  attempt: 0,
  number,
  first: NOW + number,
  last: NOW + number,
  bytes: 100,
  ...more,
});

test("a file's name says all of a portion; that of a pod with a long name is shortened, and stays within what a disk allows", async () => {
  const bucket = memoryBucket();
  const long = portion(1_000_000, {
    pod: "p".repeat(253),
    container: "c".repeat(63),
    attempt: 100_000,
    bytes: 1 << 23,
  });
  await bucket.put(keyOf("default/logs/shop", 7, long), new Uint8Array(1));
  const [key = ""] = bucket.keys();
  expect(key.startsWith("default/logs/shop/2026-12-04/")).toBe(true);
  expect(key.slice(key.lastIndexOf("/") + 1).length).toBeLessThan(256);
  expect(await listKept(bucket, "default/logs/shop", NOW, long.pod)).toEqual([
    { ...long, pod: shortened(long.pod), key },
  ]);
  expect(await listKept(bucket, "default/logs/shop", NOW, "p")).toEqual([]);
});

test("portions are in the order of their numbers, each once; attempts by their beginning", () => {
  const kept = [
    portion(2, { attempt: 1, first: NOW + 20 }),
    portion(1, { attempt: 1, first: NOW + 10 }),
    portion(10),
    portion(9),
    portion(10),
  ].map((each) => ({ ...each, key: "" }));
  expect(inOrder(kept).map(({ attempt, number }) => [attempt, number])).toEqual([
    [0, 9],
    [0, 10],
    [1, 1],
    [1, 2],
  ]);
});

test("what is past its day is neither told of nor kept, and beyond the bound the oldest go", async () => {
  const bucket = memoryBucket();
  const folder = "default/logs/shop";
  const put = (days: number, each: Portion) => bucket.put(keyOf(folder, days, each), new Uint8Array(1));
  await put(1, portion(0, { last: NOW - 3 * DAY_MS }));
  for (let number = 1; number <= 10; number++) await put(7, portion(number));
  expect((await listKept(bucket, folder, NOW)).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await holdWithin(bucket, folder, 1000, NOW);
  expect(bucket.keys()).toHaveLength(10);
  await holdWithin(bucket, folder, 500, NOW);
  expect((await listKept(bucket, folder, NOW)).map(({ number }) => number)).toEqual([7, 8, 9, 10]);
  await removeAllOutdated(bucket, "default", NOW + 8 * DAY_MS);
  expect(bucket.keys()).toEqual([]);
});

const SENT = effects.now() - 60_000;
const iso = (ms: number) => new Date(ms).toISOString();
const line = (log: string, time = "2026-11-27T10:00:00.000000000Z") =>
  `${JSON.stringify({ log, stream: "stdout", time })}\n`;

function deployment(keep = { days: 3650, bytes: 1024 ** 3 }, grants = true) {
  const bucket = memoryBucket();
  const seal = new Seal(["a secret of more than twenty-four characters"]);
  const asked: string[] = [];
  const cluster = {
    async fetch({ method, url }: Request) {
      asked.push(`${method} ${new URL(url).pathname}`);
      if (!grants) return Response.json({ code: 403 }, { status: 403 });
      return Response.json(keep, { headers: { "x-skerry-grant": "1" } });
    },
  };
  const parts = { clusterName: "default", cluster, bucket, seal };
  const ask = (method: string, path: string, init: RequestInit = {}) =>
    openKeptLogs(new Request(`https://c/skerry/logs${path}`, { method, ...init }), parts);
  const grantOf = async (pod: string, uid = UID) => {
    const answer = await ask("POST", `/shop/${pod}/grant?uid=${uid}`);
    return ((await answer.json()) as { grant: string }).grant;
  };
  const send = (path: string, grant: string, text: string, first = SENT) =>
    ask("PUT", `${path}?first=${first}&last=${first}`, {
      headers: { authorization: `Bearer ${grant}` },
      body: gzipSync(text),
    });
  const text = async (path: string) => (await ask("GET", path)).text();
  return { bucket, seal, parts, asked, ask, grantOf, send, text };
}

test("who shows the grant of a pod sends what it printed, sealed; the cluster is asked once", async () => {
  const { bucket, seal, asked, ask, grantOf, send, text } = deployment();
  const grant = await grantOf("web-0");
  for (const [number, words] of ["one\n", "two\n"].entries())
    expect((await send(`/shop/web-0/${UID}/c/0/${number}`, grant, line(words), SENT + number)).status).toBe(200);
  // Sent once more after a kill: it is there once.
  await send(`/shop/web-0/${UID}/c/0/1`, grant, line("two\n"), SENT + 1);
  await send(`/shop/web-0/${UID}/c/1/0`, grant, line("three\n"), SENT + 2);
  expect(asked).toEqual(["POST /skerry/logs/shop/web-0/grant"]);
  const [key = ""] = bucket.keys();
  const sealed = (await bucket.get(key)) as Uint8Array;
  expect(() => gunzipSync(sealed)).toThrow();
  expect(gunzipSync(seal.open(sealed, key)).toString()).toBe(line("one\n"));
  expect(await text("/shop/web-0")).toBe("one\ntwo\nthree\n");
  expect(await text("/shop/web-0?tailLines=2&timestamps=true")).toBe(
    "2026-11-27T10:00:00.000000000Z two\n2026-11-27T10:00:00.000000000Z three\n",
  );
  expect(await text("/shop/web-0?limitBytes=5")).toBe("one\nt");
  expect(await text("/shop/web-0?tailLines=0")).toBe("");
  const { items } = (await (await ask("GET", "/shop")).json()) as { items: KeptLog[] };
  expect(items).toMatchObject([
    {
      pod: "web-0",
      uid: UID,
      container: "c",
      attempt: 0,
      first: iso(SENT),
      last: iso(SENT + 1),
    },
    { pod: "web-0", uid: UID, container: "c", attempt: 1 },
  ]);
  expect(await (await ask("GET", "")).json()).toEqual({ items: [{ namespace: "shop" }] });
});

test("what is no text comes as it was, and long lines in one", async () => {
  const { grantOf, send, ask } = deployment();
  const bytes = Buffer.from([0xff, 0xfe, 0x0a]);
  const entry = {
    log: bytes.toString(),
    stream: "stdout",
    time: "2026-11-27T10:00:00Z",
    bytes: bytes.toString("base64"),
  };
  const lines = `${line("begun ")}${line("ended\n")}${JSON.stringify(entry)}\n`;
  await send(`/shop/web-0/${UID}/c/0/0`, await grantOf("web-0"), lines);
  const answer = await (await ask("GET", "/shop/web-0")).arrayBuffer();
  expect(Buffer.from(answer).equals(Buffer.concat([Buffer.from("begun ended\n"), bytes]))).toBe(true);
});

test("no grant, one of another pod, or one that was made up: nothing is taken", async () => {
  const { bucket, grantOf, send } = deployment();
  const grant = await grantOf("web-0");
  const [payload = "", mac] = grant.split(".");
  const forged = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), pod: "db" }),
  );
  for (const [pod, uid, shown] of [
    ["web-0", UID, ""],
    ["web-0", UID, "x.y"],
    ["db", UID, grant],
    ["web-0", "11111111-d9cb-469f-a165-70867728950e", grant],
    ["db", UID, `${forged.toString("base64url")}.${mac}`],
  ] as const)
    await expect(send(`/shop/${pod}/${uid}/c/0/0`, shown, line("x\n"))).rejects.toMatchObject({ code: 401 });
  expect(bucket.keys()).toEqual([]);
});

test("what the cluster refuses is refused; a bad question is a 400, and nothing kept a 404", async () => {
  expect((await deployment(undefined, false).ask("GET", "/shop")).status).toBe(403);
  const { ask, grantOf, send, text, parts } = deployment();
  await expect(ask("GET", "/shop/web-0")).rejects.toMatchObject({ code: 404 });
  const grant = await grantOf("web-0");
  await send(`/shop/web-0/${UID}/a/0/0`, grant, line("a\n"));
  await send(`/shop/web-0/${UID}/b/0/0`, grant, line("b\n"));
  await expect(ask("GET", "/shop/web-0")).rejects.toMatchObject({ code: 400, message: /choose one of: \[a b\]/ });
  await expect(ask("GET", "/shop/web-0?container=c")).rejects.toMatchObject({ code: 400 });
  await expect(ask("GET", "/shop/web-0?container=a&tailLines=x")).rejects.toMatchObject({ code: 400 });
  await expect(ask("DELETE", `/shop/web-0/${UID}/a/0/0`)).rejects.toMatchObject({ code: 405 });
  expect(await text("/shop/web-0?container=b")).toBe("b\n");
  const without = { ...parts, bucket: undefined };
  const request = new Request("https://c/skerry/logs/shop/web-0/grant?uid=u", { method: "POST" });
  await expect(openKeptLogs(request, without)).rejects.toMatchObject({ code: 400, message: /has no bucket/ });
});

test("a namespace's bound holds as its logs come", async () => {
  const { bucket, grantOf, send } = deployment({ days: 3650, bytes: 1000 });
  const grant = await grantOf("web-0");
  for (let number = 0; number < 40; number++)
    await send(`/shop/web-0/${UID}/c/0/${number}`, grant, line(`${number}\n`), SENT + number);
  const kept = await listKept(bucket, "default/logs/shop", SENT);
  expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1000);
  expect(Math.max(...kept.map(({ number }) => number))).toBe(39);
});

test("in place of a node that is away: the last attempt of a container, or the one before", async () => {
  const { grantOf, send, parts } = deployment();
  const grant = await grantOf("web-0");
  for (const attempt of [0, 1])
    await send(`/shop/web-0/${UID}/c/${attempt}/0`, grant, line(`attempt ${attempt}\n`), SENT + attempt);
  const asked = { namespace: "shop", pod: "web-0", uid: UID, container: "c" };
  const instead = async (query: string, more = {}) =>
    (await keptInstead(parts, { ...asked, ...more, query: new URLSearchParams(query) }))?.text();
  expect(await instead("")).toBe("attempt 1\n");
  expect(await instead("previous=true")).toBe("attempt 0\n");
  expect(await instead("", { container: "d" })).toBeUndefined();
  expect(await instead("", { uid: "another" })).toBeUndefined();
});

test("kubectl logs of a pod that is gone is shown one, and the last of that name's log; the API's answer stays where nothing is kept", async () => {
  const { parts, grantOf, send } = deployment();
  const other = "3c3e7f5a-2f0b-4d35-9d6f-0d1f2a3b4c5d";
  await send(`/shop/web-0/${UID}/c/0/0`, await grantOf("web-0"), line("of before\n"), SENT);
  await send(`/shop/web-0/${other}/c/0/0`, await grantOf("web-0", other), line("first\n"), SENT + 10);
  await send(`/shop/web-0/${other}/c/1/0`, await grantOf("web-0", other), line("second\n"), SENT + 11);
  await send(`/shop/web-0/${other}/d/0/0`, await grantOf("web-0", other), line("beside\n"), SENT + 12);
  let created: string | undefined = iso(SENT);
  const cluster = { fetch: async () => Response.json({ created }) };
  const ask = (path: string, code = 404, more = {}) =>
    orOfGone(new URL(`https://c/api/v1/namespaces/shop/pods/${path}`), Response.json({ code }, { status: code }), {
      ...parts,
      cluster,
      ...more,
    });
  expect(await (await ask("web-0")).json()).toMatchObject({
    kind: "Pod",
    metadata: { name: "web-0", namespace: "shop", uid: other },
    spec: { containers: [{ name: "d" }, { name: "c" }] }, // what was printed last comes first
  });
  expect((await ask("web-0")).headers.get("warning")).toMatch(/^299 - "pod web-0 is gone: /);
  expect(await (await ask("web-0/log?container=c")).text()).toBe("second\n");
  expect(await (await ask("web-0/log?container=c&previous=true")).text()).toBe("first\n");
  expect(await (await ask("web-0/log?container=d")).text()).toBe("beside\n");
  await expect(ask("web-0/log")).rejects.toThrow("choose one of: [d c]");
  await expect(ask("web-0/log?container=e")).rejects.toThrow("container e is not valid for pod web-0");
  await expect(ask("web-0/log?container=d&previous=true")).rejects.toThrow(
    'previous terminated container "d" in pod "web-0" not found',
  );
  for (const path of ["web-1", "web-1/log"]) expect(await (await ask(path)).json()).toEqual({ code: 404 });
  expect(await (await ask("web-0", 403)).json()).toEqual({ code: 403 });
  const broken = { ...parts.bucket, list: () => Promise.reject(new Error("the bucket is away")) };
  expect((await ask("web-0", 404, { bucket: broken })).status).toBe(404);
  created = iso(SENT + 12);
  expect(await (await ask("web-0/log")).text()).toBe("beside\n");
  created = iso(SENT + 13);
  expect((await ask("web-0")).status).toBe(404);
  created = undefined;
  expect(await (await ask("web-0/log?container=c")).text()).toBe("second\n");
});
