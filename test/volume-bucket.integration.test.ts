/** Backups of volumes in the folder that a deployment on one's own machine has for a bucket: real workerd, killed meanwhile. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { effects } from "../agent/effects.ts";
import { homeFromEnvironment } from "../agent/local/home.ts";
import type { Server } from "../agent/local/http.ts";
import { reach } from "../agent/local/reach.ts";
import { backupOf, backupStream, listBackups, sendBackup } from "../agent/local/volume-bucket.ts";
import { CHUNK_BYTES } from "../worker/lib/volume-backup.ts";
import { TestCluster } from "./support/cluster.ts";

const claim = { namespace: "shop", name: "data" };
const data = Buffer.alloc(6 * CHUNK_BYTES + 1000, "what lies in a volume ");
const said: string[] = [];
let cluster: TestCluster;
let server: Server;
const context = () => ({
  home: homeFromEnvironment(cluster.environment),
  progress: (text: string) => void said.push(text),
  effects,
});
const folder = () => join(cluster.home, "bucket/default/volumes/shop/data");
const files = () => readdirSync(join(folder(), "first"));

beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  server = await reach(context().home, { cluster: "default" });
});
afterAll(() => cluster?.stop());

test("chunks go on where they were when the control plane is killed, and lie sealed in files", async () => {
  let tries = 0;
  const source = async function* () {
    const isFirst = tries++ === 0;
    yield data.subarray(0, 3 * CHUNK_BYTES);
    if (isFirst) await cluster.kill("workerd");
    if (isFirst) throw new Error("the node's stream broke off");
    yield data.subarray(3 * CHUNK_BYTES);
  };
  const index = await sendBackup(context(), server, { ...backupOf(claim, "first"), isResumed: false }, async () =>
    source(),
  );
  expect(said).toEqual(["the node's stream broke off: backup first of shop/data goes on"]);
  expect(files().toSorted()).toEqual([...index.chunks, "index"]);
  for (const file of files())
    expect(readFileSync(join(folder(), "first", file)).includes("what lies in a volume")).toBe(false);
  expect(await listBackups(server, claim)).toEqual([
    { name: "first", complete: true, time: index.time, bytes: data.length },
  ]);
});

test("a restore goes on, too; what was changed on the disk is refused; what is removed leaves nothing", async () => {
  const stream = backupStream(context(), server, backupOf(claim, "first"));
  const reading = buffer(stream);
  await cluster.kill("workerd");
  expect((await reading).equals(data)).toBe(true);

  const [first = ""] = files();
  const path = join(folder(), "first", first);
  const bytes = readFileSync(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await expect(buffer(backupStream(context(), server, backupOf(claim, "first")))).rejects.toThrow("was changed");

  const raw = ["--raw", "/skerry/volumes/shop/data/backups"];
  await cluster.ok("create serviceaccount keeper");
  const token = (await cluster.ok("create token keeper")).trim();
  expect((await cluster.kubectl(["get", ...raw, "--token", token])).all).toContain("cannot get path");
  expect(JSON.parse(await cluster.ok(["get", ...raw])).items).toMatchObject([{ name: "first", complete: true }]);
  const done = await cluster.skerry("volume", "backups", "shop/data", "--delete", "first");
  expect(done.stderr + done.stdout).toContain("removed first");
  expect(existsSync(join(folder(), "first"))).toBe(false);
});
