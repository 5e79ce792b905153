import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Bucket } from "../../worker/edge/bucket.ts";
import { Seal } from "../../worker/edge/sealed-chunks.ts";
import { openVolumeBackups } from "../../worker/edge/volume-backups.ts";
import { GRANT_HEADER } from "../../worker/lib/internal-headers.ts";
import { ApiError } from "../../worker/lib/status.ts";
import { CHUNK_BYTES } from "../../worker/lib/volume-backup.ts";
import { bucketOf } from "../streams/volume-transfer.ts";
import { packed } from "../volumes/persistent/data.ts";
import type { BackupContext } from "./backup.ts";
import {
  backupOf,
  backupStream,
  deleteBackup,
  findBackup,
  inChunks,
  keepNewest,
  listBackups,
  sendBackup,
} from "./volume-bucket.ts";

const claim = { namespace: "shop", name: "data" };
const SECRET: [string] = ["the secret of this deployment"];

let kept: Map<string, Uint8Array<ArrayBuffer>>;
let hasBucket = true;
/** Requests that are answered by nothing, and those that were answered, as `METHOD PATH`. */
let lost: (asked: string) => boolean;
let asked: string[];
let http: HttpServer;
let now = 0;
let context: BackupContext;
const said: string[] = [];

const bucket: Bucket = {
  async put(key, bytes) {
    kept.set(key, new Uint8Array(bytes));
  },
  get: async (key) => kept.get(key),
  open: async (key) => {
    const bytes = kept.get(key);
    return bytes && new Blob([bytes]).stream();
  },
  async list(folder) {
    const below = [...kept.keys()]
      .filter((key) => key.startsWith(`${folder}/`))
      .map((key) => key.slice(folder.length + 1));
    const folders = below.filter((key) => key.includes("/")).map((key) => key.slice(0, key.indexOf("/")));
    return { files: below.filter((key) => !key.includes("/")), folders: [...new Set(folders)] };
  },
  async remove(keys) {
    for (const key of keys) kept.delete(key);
  },
};

const server = () => ({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });

beforeEach(async () => {
  kept = new Map();
  hasBucket = true;
  asked = [];
  lost = () => false;
  said.length = 0;
  const effects = { now: () => now++, sleep: async () => {} } as unknown as BackupContext["effects"];
  context = { effects, progress: (text: string) => said.push(text), home: { path: "", port: 0 } };
  const cluster = { fetch: async () => new Response(null, { status: 204, headers: { [GRANT_HEADER]: "1" } }) };
  http = createServer(async (request, response) => {
    const what = `${request.method} ${request.url?.split(/backups|transfers/)[1] ?? ""}`;
    if (lost(what)) return void request.socket.destroy();
    asked.push(what);
    const body = await buffer(request);
    const headers = { "content-length": `${body.length}` };
    const sent = new Request(`http://x${request.url}`, {
      method: request.method ?? "",
      headers,
      ...(body.length && { body: new Uint8Array(body) }),
    });
    const parts = { clusterName: "default", cluster, bucket: hasBucket ? bucket : undefined, seal: new Seal(SECRET) };
    const answer = await openVolumeBackups(sent, parts).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      return Response.json(error.status(), { status: error.code });
    });
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
});
afterEach(() => new Promise<void>((resolve) => void http.close(() => resolve())));

/** Bytes that are not all alike, in pieces that are no chunks. */
const data = Buffer.alloc(2 * CHUNK_BYTES + 1000, "0123456789abcdefghi");
async function* pieces(bytes = data): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1_000_003) yield bytes.subarray(at, at + 1_000_003);
}
const send = (name: string, isResumed = false, source: () => AsyncIterable<Buffer> = pieces) =>
  sendBackup(context, server(), { ...backupOf(claim, name), isResumed }, async () => source());
const received = (name: string) => buffer(backupStream(context, server(), backupOf(claim, name)));

test("what is sent in chunks comes back, and lies sealed in the bucket", async () => {
  const index = await send("first");
  expect(index).toMatchObject({
    bytes: data.length,
    chunks: [/^000000-/, /^000001-/, /^000002-/].map((id) => expect.stringMatching(id)),
  });
  expect((await received("first")).equals(data)).toBe(true);
  expect(await listBackups(server(), claim)).toEqual([
    { name: "first", complete: true, time: index.time, bytes: data.length },
  ]);
  for (const [key, sealed] of kept) {
    expect(key).toMatch(/^default\/volumes\/shop\/data\/first\//);
    expect(Buffer.from(sealed).includes("0123456789")).toBe(false);
  }
});

test("a source that breaks off is read again, and only what is missing is sent", async () => {
  let tries = 0;
  const source = async function* () {
    const isFirst = tries++ === 0;
    yield* pieces(isFirst ? data.subarray(0, CHUNK_BYTES + 5) : data);
    if (isFirst) throw new Error("the other end is gone");
  };
  await send("first", false, source);
  expect(said).toEqual(["the other end is gone: backup first of shop/data goes on"]);
  expect(asked.filter((what) => /^PUT \/first\/chunks\/0/.test(what)).map((what) => what.replace(/=.*/, "="))).toEqual([
    "PUT /first/chunks/0",
    "PUT /first/chunks/0?sha256=",
  ]);
  expect((await received("first")).equals(data)).toBe(true);
});

test("requests that nobody answers are sent again, of a backup and of a restore", async () => {
  const once = new Set<string>();
  lost = (what) => !once.has(what) && Boolean(once.add(what));
  await send("first");
  expect((await received("first")).equals(data)).toBe(true);
  lost = (what) => what.includes("chunks");
  await expect(received("first")).rejects.toThrow();
});

test("a command that was killed leaves what another goes on with, also where the volume is another by then", async () => {
  lost = (what) => what === "PUT /first";
  await expect(send("first")).rejects.toThrow();
  expect(await listBackups(server(), claim)).toEqual([{ name: "first", complete: false }]);
  await expect(findBackup(server(), "bucket", claim)).rejects.toThrow("the bucket has no backup of shop/data");
  lost = () => false;
  const changed = Buffer.concat([data.subarray(0, CHUNK_BYTES), Buffer.from("other")]);
  await send("first", true, () => pieces(changed));
  expect((await received("first")).equals(changed)).toBe(true);
  await deleteBackup(server(), claim, "first");
  expect(kept.size).toBe(0); // with what is of the first try only
});

test("of two commands that send to one backup the first to end makes it whole, and the other changes nothing of it", async () => {
  const other = Buffer.concat([data.subarray(0, CHUNK_BYTES), Buffer.from("other")]);
  const index = () => kept.get("default/volumes/shop/data/first/index");
  let first: Uint8Array | undefined;
  const source = async function* () {
    yield* pieces(other);
    await send("first", true);
    first = index();
  };
  await expect(send("first", false, source)).rejects.toThrow("409 the backup is whole already");
  expect(index()).toBe(first);
  expect((await received("first")).equals(data)).toBe(true);
  // One whose answer was lost is told again.
  await send("first", true);
  expect(index()).toBe(first);
  // Also where a power cut left an index without its bytes.
  kept.set("default/volumes/shop/data/first/index", new Uint8Array());
  await send("first", true);
  expect((await received("first")).equals(data)).toBe(true);
});

test("what a power cut left without its bytes is sent again, and an index that cannot be read is in nobody's way", async () => {
  lost = (what) => what === "PUT /first";
  await expect(send("first")).rejects.toThrow();
  lost = () => false;
  const [torn = ""] = [...kept.keys()].filter((key) => key.includes("/000001-"));
  kept.set(torn, (kept.get(torn) ?? new Uint8Array()).slice(0, 1000));
  await send("first", true);
  expect((await received("first")).equals(data)).toBe(true);

  await send("second", false, () => pieces(Buffer.from("second")));
  kept.set("default/volumes/shop/data/first/index", new Uint8Array());
  const listed = await listBackups(server(), claim);
  expect(listed[0]).toEqual({ name: "first", complete: false, unreadable: true });
  expect(await findBackup(server(), "bucket", claim)).toEqual({ claim, name: "second" });
  await deleteBackup(server(), claim, "first");
  expect((await listBackups(server(), claim)).map(({ name }) => name)).toEqual(["second"]);
});

test("a chunk that was changed, moved or lost is no backup's", async () => {
  const { chunks } = await send("first");
  const key = (at: number) => `default/volumes/shop/data/first/${chunks[at]}`;
  const [zero = new Uint8Array(), one = new Uint8Array()] = [kept.get(key(0)), kept.get(key(1))];
  kept.set(key(1), zero);
  await expect(received("first")).rejects.toThrow("was changed, or is not all there");
  kept.delete(key(1));
  await expect(received("first")).rejects.toThrow("not found");
  kept.set(
    key(1),
    one.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
  );
  await expect(received("first")).rejects.toThrow("was changed, or is not all there");
});

test("the newest are kept, others go; one is found by its name, its claim or as the newest", async () => {
  for (const name of ["b", "a", "c"]) await send(name, false, () => pieces(Buffer.from(name)));
  expect(await findBackup(server(), "bucket", claim)).toEqual({ claim, name: "c" });
  expect(await findBackup(server(), "bucket:a", claim)).toEqual({ claim, name: "a" });
  expect(await findBackup(server(), "bucket:shop/data", { namespace: "x", name: "y" })).toEqual({ claim, name: "c" });
  expect(await findBackup(server(), "bucket:shop/data/b", { namespace: "x", name: "y" })).toEqual({ claim, name: "b" });
  expect(await keepNewest(server(), claim, 2)).toEqual(["b"]);
  await deleteBackup(server(), claim, "c");
  expect((await listBackups(server(), claim)).map(({ name }) => name)).toEqual(["a"]);
  await expect(deleteBackup(server(), claim, "c")).rejects.toThrow('backup "c" not found');
});

test("an empty volume's backup has no chunk", async () => {
  await send("none", false, () => pieces(Buffer.alloc(0)));
  expect((await received("none")).length).toBe(0);
  const sizes: number[] = [];
  for await (const chunk of inChunks(pieces(Buffer.alloc(10)), 4)) sizes.push(chunk.length);
  expect(sizes).toEqual([4, 4, 2]);
});

test("what moves through the bucket is sent once, read whenever, and removed; of a send that was called off nothing stays", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "skerry-transfer-")), "pvc-1_shop_data.x1");
  const from = join(dirname(folder), "from");
  mkdirSync(from);
  for (const name of ["one", "two"]) writeFileSync(join(from, name), randomBytes(CHUNK_BYTES));
  const { signal } = new AbortController();
  const there = bucketOf({ server: server().url, token: "t" }, context.effects);
  const transfer = { volume: "pvc-1", name: "x1" };
  let reads = 0;
  const data = () => {
    reads++;
    return packed(from, true);
  };
  try {
    await expect(there.receive(transfer, folder, signal)).rejects.toThrow("404");
    expect(existsSync(folder)).toBe(false);
    await there.send(transfer, data, signal);
    await there.send(transfer, data, signal);
    expect(reads).toBe(1);
    expect([...kept.keys()].every((key) => key.startsWith("default/transfers/pvc-1/x1/"))).toBe(true);
    await there.receive(transfer, folder, signal);
    for (const name of ["one", "two"])
      expect(readFileSync(join(folder, name)).equals(readFileSync(join(from, name)))).toBe(true);
    await there.remove(transfer);
    await there.remove(transfer);
    expect(kept.size).toBe(0);

    const off = new AbortController();
    const halfway = async function* () {
      for await (const piece of packed(from, true)) {
        if (kept.size > 0) off.abort(new Error("called off"));
        yield piece;
      }
    };
    await expect(there.send(transfer, halfway, off.signal)).rejects.toThrow("called off");
    expect(kept.size).toBe(0);

    // Where the deployment has none any more, there is nothing to remove.
    hasBucket = false;
    await there.remove(transfer);
    await expect(there.send(transfer, data, signal)).rejects.toThrow("no bucket");
  } finally {
    rmSync(dirname(folder), { recursive: true });
  }
});
