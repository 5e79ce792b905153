/** The commands, against a cluster that is a server of the test's. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listenAsCluster } from "../../test/support/api-server.ts";
import { effects } from "../effects.ts";
import { backupVolume, restoreVolume } from "./volume.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-volume-"));
const kubeconfig = join(folder, "kubeconfig");
const archive = Buffer.alloc(9_000_000, "tar ");
const said: string[] = [];
const context = { home: { path: folder, port: 0 }, effects, progress: (text: string) => void said.push(text) };
const chunks = new Map<string, Buffer>();
let index: string | undefined;
let reads = 0;
/** Of an answer that comes before the data is sent, in ms. */
let slowness = 0;
let restored: Buffer | undefined;
let unreadable: object[] = [];

const http = createServer(async (request, response) => {
  const { pathname: path } = new URL(request.url ?? "", "http://x");
  const body = await buffer(request).catch(() => undefined); // who found the archive torn breaks off
  if (!body) return;
  const json = (code: number, value: unknown) => response.writeHead(code).end(JSON.stringify(value));
  const backup = path.split("/backups")[1]?.split("/") ?? [];
  if (path.endsWith("/pods")) return void setTimeout(() => json(200, { items: [] }), slowness);
  if (path.endsWith("/persistentvolumeclaims/data"))
    return json(200, { spec: { volumeName: "pv" }, status: { phase: "Bound" } });
  if (path === "/skerry/volumes/shop/data" && request.method === "PUT") {
    restored = body;
    return json(200, { bytes: body.length });
  }
  if (path === "/skerry/volumes/shop/data") {
    // Its node is away at first, then breaks off in the middle.
    if (reads++ === 0) return json(503, { message: "node n1 is not connected" });
    response.writeHead(200);
    if (reads > 2) return response.end(archive);
    return response.write(archive.subarray(0, 5_000_000), () => response.destroy());
  }
  const [, name, , chunk = ""] = backup;
  if (name === undefined)
    return json(200, { items: [...unreadable, ...(index ? [{ name: "b", complete: true, time: "t" }] : [])] });
  if (request.method === "GET" && chunk) return response.end(chunks.get(chunk));
  if (request.method === "GET") return response.end(index);
  if (chunk && body.length === 0) return json(404, { message: "not there yet" });
  if (chunk) {
    chunks.set(`id-${chunk}`, body);
    return json(200, { id: `id-${chunk}` });
  }
  index = body.toString();
  return json(200, JSON.parse(index));
});

beforeAll(() => listenAsCluster(http, kubeconfig));
afterAll(() => {
  http.close();
  rmSync(folder, { recursive: true });
});

test("a volume goes into the bucket though its node comes late and breaks off, and comes out of it as it was", async () => {
  await backupVolume(context, "shop/data", { cluster: "default", kubeconfig, to: "bucket", keep: 3 });
  expect(reads).toBe(3);
  expect(said[0]).toMatch(/^node n1 is not connected: backup \d{8}T\d{6}Z of shop\/data goes on$/);
  expect(said[2]).toMatch(/^bucket:shop\/data\/\d{8}T\d{6}Z: \d+ bytes$/);
  expect(gunzipSync(Buffer.concat([...chunks.values()])).equals(archive)).toBe(true);
  await restoreVolume(context, "shop/data", { cluster: "default", kubeconfig, from: "bucket" });
  expect(restored?.equals(archive)).toBe(true);
  expect(said.at(-1)).toBe(`restored ${archive.length} bytes into shop/data`);
  await expect(
    restoreVolume(context, "shop/data", { cluster: "default", kubeconfig, from: "bucket:c" }),
  ).rejects.toThrow("the bucket has no backup c of shop/data");
});

test("a file that is no whole gzip is an error of its own words, also where it is found out before anything is sent", async () => {
  const file = join(folder, "torn.tar.gz");
  for (const torn of [Buffer.from([0x1f, 0x8b, 1, 2]), gzipSync(randomBytes(100_000)).subarray(0, 50_000)]) {
    writeFileSync(file, torn);
    slowness = 300;
    const restoring = restoreVolume(context, "shop/data", { cluster: "default", kubeconfig, from: file });
    await expect(restoring).rejects.toThrow(/unknown compression method|unexpected end of file/);
  }
  slowness = 0;
});

test("a backup whose index cannot be read is not gone on with", async () => {
  unreadable = [{ name: "sealed-before", complete: false, unreadable: true }];
  await backupVolume(context, "shop/data", { cluster: "default", kubeconfig, to: "bucket" });
  expect(said.at(-1)).toMatch(/^bucket:shop\/data\/\d{8}T\d{6}Z: \d+ bytes$/);
});
