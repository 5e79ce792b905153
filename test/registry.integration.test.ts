/** The cluster's registry on one's own machine: real workerd over a folder, and the specification's own conformance suite. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { files } from "../agent/local/home.ts";
import { run } from "../agent/process.ts";
import { CHUNK_BYTES } from "../worker/registry/uploads.ts";
import { Client, type Sent } from "./support/client.ts";
import { eventually, TestCluster } from "./support/cluster.ts";
import { writeBusyboxImage } from "./support/image.ts";
import { checked, ensurePackages } from "./support/programs.ts";
import { upstreamProgram } from "./support/upstream.ts";

let cluster: TestCluster;
let client: Client;
let token: string;
let suite: string;

beforeAll(async () => {
  suite = await upstreamProgram("registry-conformance", console.log);
  await ensurePackages({ skopeo: "skopeo" });
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  client = new Client(`https://127.0.0.1:${cluster.port}`, readFileSync(files(cluster.home).caCertificate, "utf8"));
  await cluster.apply(`
apiVersion: v1
kind: ServiceAccount
metadata: { name: pusher, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: pusher }
rules: [{ nonResourceURLs: ["/v2/team/*"], verbs: [get, put, delete] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: pusher }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: pusher }
subjects: [{ kind: ServiceAccount, name: pusher, namespace: default }]
`);
  token = (await cluster.ok("create token pusher")).trim();
});
afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
/** Where the registry's bytes lie: in the one folder of its object. */
function root(): string {
  const folder = join(cluster.home, "bucket/default/registry");
  const [object = "", ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return join(folder, object);
}
const basic = () => `Basic ${Buffer.from(`anybody:${token}`).toString("base64")}`;
const ask = (method: string, path: string, given: Partial<Sent> = {}) =>
  client.send({ method, path, ...given, headers: { authorization: basic(), ...given.headers } });

test("passes the conformance suite of the OCI distribution specification", async () => {
  const results = mkdtempSync(join(tmpdir(), "skerry-registry-"));
  try {
    // JSON is YAML.
    const configuration = join(results, "configuration.yaml");
    const settings = {
      resultsDir: results,
      registry: `127.0.0.1:${cluster.port}`,
      repo1: "team/one",
      repo2: "team/two",
      username: "anybody",
      password: token,
      apis: { blobs: { digestHeader: true, uploadCancel: true }, manifests: { digestHeader: true, tagParam: true } },
    };
    writeFileSync(configuration, JSON.stringify(settings));
    const ca = files(cluster.home).caCertificate;
    const env = { ...process.env, OCI_CONFIGURATION: configuration, SSL_CERT_FILE: ca };
    const done = await run(suite, [], { env, timeoutMs: 600_000 });
    expect(done.code, done.stdout + done.stderr).toBe(0);
    const junit = readFileSync(join(results, "junit.xml"), "utf8");
    expect(junit).toMatch(/failures="0" /);
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
});

test("an upload goes on where it was when the control plane is killed, and lies in chunks", async () => {
  const blob = Buffer.alloc(3 * CHUNK_BYTES + 1000, "what is in a layer ");
  const begun = await ask("POST", "/v2/team/cut/blobs/uploads/", { headers: { "content-length": "0" } });
  expect(begun.status).toBe(202);
  const path = String(begun.headers.location);
  const held = request({
    host: "127.0.0.1",
    port: cluster.port,
    path,
    method: "PATCH",
    ca: readFileSync(files(cluster.home).caCertificate),
    headers: { authorization: basic() },
  }).on("error", () => undefined);
  held.write(blob.subarray(0, 2 * CHUNK_BYTES + 1000));
  const kept = `0-${2 * CHUNK_BYTES - 1}`;
  await eventually("two chunks are kept", async () => (await ask("GET", path)).headers.range === kept);
  await cluster.kill("workerd");
  held.destroy();
  const standing = await eventually("the registry answers", async () => {
    const answer = await ask("GET", path).catch(() => undefined);
    return answer?.status === 204 ? answer : undefined;
  });
  expect(standing.headers.range).toBe(kept);

  const from = (start: number) => ({
    body: blob.subarray(start),
    headers: { "content-range": `${start}-${blob.length - 1}` },
  });
  expect((await ask("PATCH", path, from(CHUNK_BYTES))).status).toBe(416);
  // Two go on at once: one of them does, and nothing of the other stays.
  const both = await Promise.all([1, 2].map(() => ask("PATCH", path, from(2 * CHUNK_BYTES))));
  expect(both.map(({ status }) => status).toSorted()).toEqual([202, 416]);
  const digest = digestOf(blob);
  expect((await ask("PUT", `${path}?digest=${digest}`)).status).toBe(201);
  const [folder = ""] = path.split("/").slice(-1);
  expect(readdirSync(join(root(), folder))).toHaveLength(4);

  const place = `/v2/team/cut/blobs/${digest}`;
  const got = await ask("GET", place);
  expect([got.status, digestOf(Buffer.from(got.text))]).toEqual([200, digest]);
  const range = await ask("GET", place, { headers: { range: `bytes=${CHUNK_BYTES - 10}-${2 * CHUNK_BYTES + 9}` } });
  expect(range.text).toBe(blob.subarray(CHUNK_BYTES - 10, 2 * CHUNK_BYTES + 10).toString());
});

test("who may not is told so in the registry's words, and asks for credentials where there were none", async () => {
  const nobody = await client.send({ method: "GET", path: "/v2/" });
  expect([nobody.status, nobody.headers["www-authenticate"]]).toEqual([401, expect.stringMatching(/^Basic realm=/)]);
  expect((await ask("GET", "/v2/")).status).toBe(200);
  const bearer = await ask("GET", "/v2/", { headers: { authorization: `Bearer ${token}` } });
  expect(bearer.status).toBe(200);
  const wrong = await ask("GET", "/v2/", { headers: { authorization: `Basic ${btoa("anybody:wrong")}` } });
  expect([wrong.status, JSON.parse(wrong.text).errors[0].code]).toEqual([401, "UNAUTHORIZED"]);
  const elsewhere = await ask("GET", "/v2/other/app/tags/list");
  expect([elsewhere.status, JSON.parse(elsewhere.text).errors[0]]).toEqual([
    403,
    { code: "DENIED", message: expect.stringContaining('cannot get path "/v2/other/app/tags/list"') },
  ]);
});

test("skopeo pushes, copies, lists, pulls and removes, and says what a quota refuses", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-registry-"));
  try {
    copyFileSync(files(cluster.home).caCertificate, join(folder, "ca.crt"));
    const env = {
      ...process.env,
      REGISTRY_AUTH_FILE: join(folder, "auth.json"),
      SSL_CERT_FILE: join(folder, "ca.crt"),
    };
    const skopeo = (...args: string[]) => run("skopeo", args, { env, cwd: folder, timeoutMs: 300_000 });
    const place = (name: string) => `docker://127.0.0.1:${cluster.port}/team/${name}`;
    await writeBusyboxImage(join(folder, "image.tar"), { tag: "busybox:test" });
    const login = ["login", "-u", "anybody", "-p", token, `127.0.0.1:${cluster.port}`];
    for (const command of [
      login,
      ["copy", "docker-archive:image.tar", place("skopeo:1")],
      ["copy", place("skopeo:1"), place("mounted:1")],
      ["copy", place("mounted:1"), "dir:pulled"],
      ["copy", "--format", "oci", "dir:pulled", place("skopeo:oci")],
      ["delete", place("mounted:1")],
    ])
      await checked("skopeo", command, { env, cwd: folder, timeoutMs: 300_000 });
    const tags = async (name: string) => JSON.parse((await skopeo("list-tags", place(name))).stdout).Tags;
    expect([await tags("skopeo"), await tags("mounted")]).toEqual([["1", "oci"], []]);

    await cluster.skerry("registry", "quota", "team/small", "--set", "1Ki");
    const told = await cluster.skerry("registry", "quota");
    expect(told.stdout).toMatch(/^\(all\) +\d+ +-$/m);
    expect(told.stdout).toMatch(/^team\/small +0 +1024$/m);
    const refused = await skopeo("copy", "dir:pulled", place("small:1"));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("team/small is limited to 1024 bytes")]);
    const removed = await cluster.skerry("registry", "quota", "team/small", "--remove");
    expect(removed.stdout).not.toContain("team/small");
    expect((await skopeo("copy", "dir:pulled", place("small:1"))).code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function pushBlob(repository: string, bytes: Buffer): Promise<number | undefined> {
  const begun = await ask("POST", `/v2/${repository}/blobs/uploads/`, { headers: { "content-length": "0" } });
  return (await ask("PUT", `${begun.headers.location}?digest=${digestOf(bytes)}`, { body: bytes })).status;
}

/** An image of one layer, pushed as clients do it: parts first. `between` is done before the manifest is sent. */
async function pushImage(repository: string, tag: string, layer: Buffer, between = async () => {}): Promise<number> {
  const parts = [Buffer.from('{"architecture":"amd64"}'), layer];
  for (const part of parts) expect(await pushBlob(repository, part)).toBe(201);
  await between();
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const [config, ...layers] = parts.map((part) => ({ mediaType: "x/y", digest: digestOf(part), size: part.length }));
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
  const sent = await ask("PUT", `/v2/${repository}/manifests/${tag}`, { body, headers: { "content-type": mediaType } });
  return sent.status;
}

test("what nothing needs goes from the bucket; what is just being pushed stays", async () => {
  const collect = async (query = "") =>
    JSON.parse(await cluster.ok(["create", "--raw", `/skerry/registry/collect${query}`, "-f", "/dev/null"]));
  const folders = () => readdirSync(root()).length;
  expect(await pushBlob("team/unneeded", Buffer.from("nobody needs it"))).toBe(201);
  const withIt = folders();
  expect(await collect("?grace=0")).toMatchObject({ more: false });
  const before = folders();
  expect(before).toBeLessThan(withIt);

  const layer = (name: string) => Buffer.alloc(1000, name);
  const pushes = ["one", "two"].map((name) =>
    pushImage(`team/${name}`, "1", layer(name), async () => {
      expect(await collect()).toMatchObject({ manifests: 0, blobs: 0, uploads: 0 });
    }),
  );
  expect(await Promise.all(pushes)).toEqual([201, 201]);
  expect(await collect("?grace=0")).toMatchObject({ manifests: 0, blobs: 0 });
  expect(folders()).toBe(before + 5); // both have the same configuration, which lies there once

  expect((await ask("DELETE", "/v2/team/one/manifests/1")).status).toBe(202);
  const { stderr, stdout } = await cluster.skerry("registry", "gc", "--grace", "0s");
  expect(stdout + stderr).toContain("removed 1 manifests, 2 blobs and 0 uploads");
  expect(folders()).toBe(before + 3);
  expect((await ask("GET", `/v2/team/two/blobs/${digestOf(layer("two"))}`)).text).toBe(String(layer("two")));
  expect((await ask("GET", `/v2/team/one/blobs/${digestOf(layer("one"))}`)).status).toBe(404);

  for (const [to, words] of [
    ["off", "by this command alone"],
    ["on", "by itself, too"],
  ] as const) {
    const said = await cluster.skerry("registry", "gc", "--by-clock", to);
    expect(said.stdout + said.stderr).toContain(words);
  }
});
