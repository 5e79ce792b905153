/** The bundle that `skerry deploy` would send to Cloudflare, run by Miniflare. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import "reflect-metadata";
import { createHash } from "node:crypto";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../agent/process.ts";
import { administratorToken } from "../worker/lib/administrator.ts";
import { CHUNK_BYTES } from "../worker/lib/volume-backup.ts";
import { CHUNK_BYTES as LAYER_CHUNK_BYTES } from "../worker/registry/uploads.ts";
import { eventually } from "./support/cluster.ts";

const MAIN = join(import.meta.dirname, "../agent/main.ts");
/** The free plan's limit of a script, compressed. */
const MAX_SCRIPT_BYTES = 3 * 1024 * 1024;
const SECRET = "the secret of this deployment";
const AUTHENTICATED = "system:authenticated";

const home = mkdtempSync(join(tmpdir(), "skerry-deploy-"));
const bundle = join(home, "deploy/index.js");
let miniflare: Miniflare;
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

beforeAll(async () => {
  const done = await run(process.execPath, [MAIN, "deploy", "--dry-run", "--bucket", "shore-backups"], {
    env: { ...process.env, SKERRY_HOME: home },
  });
  expect(done.stderr).toContain("nothing was deployed");
  expect(readFileSync(join(home, "deploy/wrangler.toml"), "utf8")).toContain('bucket_name = "shore-backups"');
  miniflare = await start({ SKERRY_SECRET: SECRET, SKERRY_TOKENS: 'static,jane,7,"devs"\n' }, ["BUCKET"]);
});

async function start(bindings: Record<string, string>, r2Buckets: string[] = []): Promise<Miniflare> {
  const started = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: readFileSync(bundle, "utf8"),
      compatibilityDate: "2026-11-01",
      bindings,
      r2Buckets,
      durableObjects: {
        CLUSTER: { className: "Cluster", useSQLite: true },
        RELAY: { className: "Relay", useSQLite: true },
        REGISTRY: { className: "Registry", useSQLite: true },
        METRICS: { className: "Metrics", useSQLite: true },
      },
    }),
  );
  await started.ready;
  return started;
}
afterAll(async () => {
  await miniflare?.dispose();
  rmSync(home, { recursive: true, force: true });
});

async function ask(path: string, token?: string, body?: unknown) {
  const response = await miniflare.dispatchFetch(`https://skerry.test${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return {
    code: response.status,
    body: (await response.json()) as { message?: string; items?: { metadata: { name: string } }[] },
  };
}

/** A client's certificate of the cluster `shore`, asked for, approved and signed; base64 of its DER. */
async function certificateOf(name: string): Promise<string> {
  const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const asked = await Pkcs10CertificateRequestGenerator.create({ name: `CN=${name}`, keys, signingAlgorithm });
  const path = "/clusters/shore/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const token = await administratorToken(SECRET, "shore");
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: btoa(asked.toString("pem")),
      signerName: "kubernetes.io/kube-apiserver-client",
      usages: ["client auth"],
    },
  };
  await ask(path, token, request);
  const status = { conditions: [{ type: "Approved", status: "True", reason: "Test" }] };
  await miniflare.dispatchFetch(`https://skerry.test${path}/${name}/approval`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ ...request, status }),
  });
  type Signed = { body: { status?: { certificate?: string } } };
  const signed = await eventually("the certificate is signed", async () => {
    const { body } = (await ask(`${path}/${name}`, token)) as Signed;
    return body.status?.certificate;
  });
  return atob(signed).replace(/-----[^-]+-----|\s/g, "");
}

describe("the deployed bundle", () => {
  test("fits the free plan", () => {
    expect(statSync(bundle).size).toBeGreaterThan(100_000);
    expect(gzipSync(readFileSync(bundle)).length).toBeLessThan(MAX_SCRIPT_BYTES);
  });

  test("makes a cluster for its administrator, and none for others", async () => {
    expect(await ask("/clusters/shore/api/v1/namespaces")).toMatchObject({
      code: 401,
      body: { message: "Unauthorized" },
    });
    const token = await administratorToken(SECRET, "shore");
    const { code, body } = await ask("/clusters/shore/api/v1/namespaces", token);
    expect(code).toBe(200);
    expect(body.items?.map(({ metadata }) => metadata.name)).toEqual([
      "default",
      "kube-node-lease",
      "kube-public",
      "kube-system",
    ]);
  });

  test("keeps clusters apart: one's token is a stranger's in another", async () => {
    const [shore, reef] = [await administratorToken(SECRET, "shore"), await administratorToken(SECRET, "reef")];
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "only-here" } };
    expect((await ask("/clusters/reef/api/v1/namespaces", reef, namespace)).code).toBe(201);
    expect((await ask("/clusters/reef/api/v1/namespaces", shore)).code).toBe(401);
    expect((await ask("/clusters/shore/api/v1/namespaces/only-here", shore)).code).toBe(404);
  });

  test("knows static tokens in each of its clusters", async () => {
    const review = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const { code, body } = await ask(`/clusters/shore${review}`, "static", {});
    expect([code, body]).toMatchObject([
      201,
      { status: { userInfo: { username: "jane", groups: ["devs", AUTHENTICATED] } } },
    ]);
    expect((await ask(`/clusters/shore${review}`, "other", {})).code).toBe(401);
  });

  test("knows who shows a certificate of the cluster's, where the platform says so", async () => {
    const certificate = await certificateOf("ann");
    const shown = { certPresented: "1", certRevoked: "0", certVerified: "SUCCESS", certRFC9440: `:${certificate}:` };
    const who = async (cluster: string, tlsClientAuth: object, headers: Record<string, string> = {}) => {
      const url = `https://skerry.test/clusters/${cluster}/api/v1/namespaces/default/configmaps`;
      const cf = { tlsClientAuth } as never;
      const { message = "" } = (await (await miniflare.dispatchFetch(url, { cf, headers })).json()) as {
        message?: string;
      };
      return /User "([^"]+)"/.exec(message)?.[1] ?? message;
    };
    await ask("/clusters/reef/api/v1/namespaces", await administratorToken(SECRET, "reef"));
    expect(await who("shore", shown)).toBe("ann");
    expect(await who("reef", shown)).toBe("Unauthorized");
    expect(await who("shore", { ...shown, certRevoked: "1" })).toBe("system:anonymous");
    expect(await who("shore", { certPresented: "0" }, { "x-skerry-certificate": `:${certificate}:` })).toBe(
      "system:anonymous",
    );
  });

  test("keeps backups of volumes in its bucket, sealed, for those who may", async () => {
    const token = await administratorToken(SECRET, "shore");
    const at = (path: string) => `https://skerry.test/clusters/shore/skerry/volumes/shop/data/backups${path}`;
    const go = async (method: string, path: string, body?: Uint8Array | string, bearer = token) => {
      const headers = { authorization: `Bearer ${bearer}` };
      const answer = await miniflare.dispatchFetch(at(path), { method, headers, ...(body !== undefined && { body }) });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const isJson = answer.headers.get("content-type")?.startsWith("application/json");
      return { code: answer.status, bytes, body: isJson ? JSON.parse(bytes.toString()) : undefined };
    };
    const chunks = [Buffer.alloc(CHUNK_BYTES, "a secret "), Buffer.from("the end")];
    const ids: string[] = [];
    for (const [number, chunk] of chunks.entries()) {
      expect((await go("PUT", `/one/chunks/${number}?sha256=${sha256(chunk)}`)).code).toBe(404);
      ids.push((await go("PUT", `/one/chunks/${number}`, chunk)).body.id);
      expect((await go("PUT", `/one/chunks/${number}?sha256=${sha256(chunk)}`)).body).toEqual({ id: ids[number] });
    }
    expect((await go("GET", "")).body).toEqual({ items: [{ name: "one", complete: false }] });
    const index = { chunks: ids, bytes: CHUNK_BYTES + 7, sha256: sha256(Buffer.concat(chunks)) };
    expect(
      await go("PUT", "/one", JSON.stringify({ ...index, chunks: [...ids, `000002-${"0".repeat(32)}`] })),
    ).toMatchObject({
      code: 409,
      body: { reason: "Conflict" },
    });
    expect((await go("PUT", "/one", JSON.stringify(index))).body).toMatchObject(index);
    for (const [number, chunk] of chunks.entries())
      expect((await go("GET", `/one/chunks/${ids[number]}`)).bytes.equals(chunk)).toBe(true);
    const bucket = await miniflare.getR2Bucket("BUCKET");
    const { objects } = await bucket.list({ prefix: "shore/volumes/shop/data/one/" });
    expect(objects).toHaveLength(3);
    for (const { key } of objects) {
      const sealed = Buffer.from((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer());
      expect(sealed.includes("a secret") || sealed.includes("chunks")).toBe(false);
    }
    // Who may is said by RBAC, and bad input is refused as elsewhere.
    expect(await go("GET", "", undefined, "static")).toMatchObject({
      code: 403,
      body: { message: expect.stringContaining('User "jane" cannot get path "/skerry/volumes/shop/data/backups"') },
    });
    expect((await go("DELETE", "/one", undefined, "static")).code).toBe(403);
    expect((await go("GET", "", undefined, "nobody")).code).toBe(401);
    for (const [method, path, code, body] of [
      ["GET", "/none", 404, undefined],
      ["PUT", "/one", 400, "{}"],
      ["PUT", "/one/chunks/x", 400, "x"],
      ["PUT", "/one/chunks/0", 413, Buffer.alloc(9 * 1024 * 1024)],
      ["POST", "", 404, "x"],
      ["GET", "/-", 400, undefined],
    ] as const)
      expect([method, path, (await go(method, path, body)).code]).toEqual([method, path, code]);
    expect((await go("DELETE", "/one")).code).toBe(200);
    expect((await bucket.list()).objects).toEqual([]);
  });

  test("keeps images in its bucket, each cluster its own, and serves ranges of them", async () => {
    const authorization = `Basic ${btoa(`shore:${await administratorToken(SECRET, "shore")}`)}`;
    const send = (method: string, path: string, given: { headers?: Record<string, string>; body?: Buffer } = {}) =>
      miniflare.dispatchFetch(new URL(path, "https://skerry.test"), {
        method,
        headers: { authorization, ...given.headers },
        ...(given.body && { body: new Uint8Array(given.body) }),
      });
    const blob = Buffer.alloc(2 * LAYER_CHUNK_BYTES + 100, "a layer ");
    const digest = `sha256:${sha256(blob)}`;
    const begun = await send("POST", "/v2/clusters/shore/app/blobs/uploads/");
    const upload = begun.headers.get("location") ?? "";
    expect(upload).toMatch(/^\/v2\/clusters\/shore\/app\/blobs\/uploads\//);
    const half = LAYER_CHUNK_BYTES + 50;
    const sent = await send("PATCH", upload, { body: blob.subarray(0, half) });
    expect([sent.status, sent.headers.get("range")]).toEqual([202, `0-${half - 1}`]);
    expect((await send("PUT", `${upload}?digest=${digest}`, { body: blob.subarray(half) })).status).toBe(201);

    const got = await send("GET", `/v2/clusters/shore/app/blobs/${digest}`);
    expect([got.headers.get("content-length"), sha256(Buffer.from(await got.arrayBuffer()))]).toEqual([
      String(blob.length),
      sha256(blob),
    ]);
    const range = { range: `bytes=${half - 10}-${half + 9}` };
    const part = await send("GET", `/v2/clusters/shore/app/blobs/${digest}`, { headers: range });
    expect([part.status, await part.text()]).toEqual([206, String(blob.subarray(half - 10, half + 10))]);
    const bucket = await miniflare.getR2Bucket("BUCKET");
    expect((await bucket.list({ prefix: "shore/registry/" })).objects).toHaveLength(4);
    expect((await send("GET", `/v2/app/blobs/${digest}`)).status).toBe(401);
  });

  test("without a secret, or with a guessable one, it serves no one", async () => {
    const without: Record<string, string>[] = [{}, { SKERRY_SECRET: "" }, { SKERRY_SECRET: "short" }];
    for (const bindings of without) {
      const bare = await start(bindings);
      try {
        const response = await bare.dispatchFetch("https://skerry.test/api/v1/namespaces", {
          headers: { authorization: "Bearer x" },
        });
        expect(response.status).toBe(503);
        expect(await response.text()).toContain("SKERRY_SECRET");
      } finally {
        await bare.dispose();
      }
    }
  });

  test("a name that no URL should have is nobody's cluster", async () => {
    expect((await ask("/clusters/No.Name/api/v1/namespaces", "x")).code).toBe(404);
  });
});
