import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { Runtime } from "../runtime.ts";
import { parsePolicies, Signatures } from "./signatures.ts";
import { memoryFiles, TestRuntime } from "./testing/model.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const NAMED = `r.io/team/app@${DIGEST}`;
const PLACE = `r.io/team/app:sha256-${"a".repeat(64)}.sig`;
const ours = generateKeyPairSync("ec", { namedCurve: "P-256" });
const theirs = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();

const noCredentials = async () => [];

type Authority = { key?: { data: string }; static?: { action: string } };

const policy = (glob: string, ...authorities: Authority[]) => ({
  apiVersion: "policy.sigstore.dev/v1beta1",
  kind: "ClusterImagePolicy",
  metadata: { name: "signed" },
  spec: { images: [{ glob }], authorities },
});
const byKey = (glob: string, key = ours.publicKey) => policy(glob, { key: { data: pem(key) } });

let runtime: TestRuntime;
let files = memoryFiles();
beforeEach(() => {
  runtime = new TestRuntime();
  files = memoryFiles();
});

const signatures = (...policies: unknown[]) =>
  new Signatures({ runtime: runtime as unknown as Runtime, files, policy: parsePolicies(policies) });

const check = (...policies: unknown[]) => signatures(...policies).verify("r.io/team/app:1", [NAMED], noCredentials);

const payloadFor = (digest: string, type = "cosign container image signature") =>
  JSON.stringify({ critical: { image: { "docker-manifest-digest": digest }, type }, optional: null });

type Signed = { payload?: string; key?: KeyObject; mediaType?: string };

/** Puts signatures into the registry. */
function put(...signed: Signed[]): void {
  const layers = signed.map(({ payload = payloadFor(DIGEST), key = ours.privateKey, mediaType }, index) => ({
    mediaType: mediaType ?? "application/vnd.dev.cosign.simplesigning.v1+json",
    digest: `sha256:${index}`,
    size: payload.length,
    annotations: { "dev.cosignproject.cosign/signature": sign("sha256", Buffer.from(payload), key).toString("base64") },
  }));
  const read = (digest: string) => Buffer.from(signed[Number(digest.split(":")[1])]?.payload ?? payloadFor(DIGEST));
  runtime.artifacts.set(PLACE, { layers, read });
}

describe("an image that a policy is about", () => {
  test("runs by its digest when it is signed", async () => {
    put({});
    expect(await check(byKey("r.io/**"))).toBe(DIGEST);
  });

  test("may have other signatures beside the right one", async () => {
    put({ key: theirs.privateKey }, { payload: "{" }, {});
    expect(await check(byKey("r.io/**"))).toBe(DIGEST);
  });

  test.each<[string, Signed[], string]>([
    ["no signature", [], "holds no signature"],
    ["another's signature", [{ key: theirs.privateKey }], `no signature in ${PLACE} is by a key of policy "signed"`],
    ["another image's", [{ payload: payloadFor(`sha256:${"b".repeat(64)}`) }], "what is signed in"],
    ["a signature of another kind", [{ payload: payloadFor(DIGEST, "atomic container signature") }], "what is signed"],
    ["a layer of another kind", [{ mediaType: "application/octet-stream" }], "holds no signature"],
  ])("does not run with %s", async (_, signed, why) => {
    put(...signed);
    await expect(check(byKey("r.io/**"))).rejects.toThrow(why);
  });

  test("does not run where nothing is signed at all, nor where nobody can tell", async () => {
    await expect(check(byKey("r.io/**"))).rejects.toThrow("no signatures found");
    runtime.fetch = () => Promise.reject(new Error("connection refused"));
    await expect(check(byKey("r.io/**"))).rejects.toThrow("no signatures could be fetched: connection refused");
  });

  test("does not run without a digest of its registry", async () => {
    const verified = signatures(byKey("r.io/**")).verify("r.io/team/app:1", [`q.io/app@${DIGEST}`], noCredentials);
    await expect(verified).rejects.toThrow("r.io/team/app:1 has no digest of its registry");
  });

  test("must keep every policy that is about it", async () => {
    put({});
    await expect(check(byKey("r.io/**"), byKey("r.io/team/*", theirs.publicKey))).rejects.toThrow("is by a key of");
  });

  test("may be signed with any of a policy's keys, also with RSA and Ed25519", async () => {
    for (const { publicKey, privateKey } of [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ed25519"),
    ]) {
      const payload = Buffer.from(payloadFor(DIGEST));
      const signature = sign(publicKey.asymmetricKeyType === "ed25519" ? null : "sha256", payload, privateKey);
      put({});
      const artifact = runtime.artifacts.get(PLACE);
      const annotations = { "dev.cosignproject.cosign/signature": signature.toString("base64") };
      const layers = (artifact?.layers ?? []).map((layer) => ({ ...layer, annotations }));
      runtime.artifacts.set(PLACE, { layers, read: () => payload });
      const authorities = [theirs.publicKey, publicKey].map((key) => ({ key: { data: pem(key) } }));
      expect(await check(policy("r.io/**", ...authorities))).toBe(DIGEST);
    }
  });

  test("is asked for once, and stays signed when the registry is away and the agent starts again", async () => {
    put({});
    await check(byKey("r.io/**"));
    runtime.artifacts.clear();
    expect(await check(byKey("r.io/**"))).toBe(DIGEST);
    await expect(check(byKey("r.io/**", theirs.publicKey))).rejects.toThrow("no signatures found");
  });

  test.each([
    ["pass", DIGEST],
    ["fail", undefined],
  ])("of which it is only said: %s", async (action, digest) => {
    const checked = check(policy("r.io/**", { static: { action } }));
    if (digest) expect(await checked).toBe(digest);
    else await expect(checked).rejects.toThrow('policy "signed" lets no such image run');
  });
});

test.each([
  ["r.io/team/app", "r.io/team/app:1", true],
  ["r.io/team/app", "r.io/team/app2:1", false],
  ["r.io/team/app:1", "r.io/team/app:1", true],
  ["r.io/team/app:1", "r.io/team/app:2", false],
  ["r.io/*", "r.io/app:1", true],
  ["r.io/*", "r.io/team/app:1", false],
  ["r.io/**", "r.io/team/app:1", true],
  ["rXio/**", "r.io/team/app:1", false],
  ["**", "busybox", true],
  ["busybox*", "busybox", true],
  ["index.docker.io/library/*", "busybox", true],
])("%s is about %s: %s", async (glob, image, about) => {
  const { repository } = { repository: image.includes("/") ? image.split(":")[0] : "docker.io/library/busybox" };
  const verified = signatures(policy(glob, { static: { action: "pass" } })).verify(
    image,
    [`${repository}@${DIGEST}`],
    noCredentials,
  );
  expect(await verified).toBe(about ? DIGEST : undefined);
});

test.each([
  [{ kind: "Policy" }, "image policy number 1: kind must be ClusterImagePolicy, not Policy"],
  [policy("**"), "image policy signed: spec.authorities is empty"],
  [{ ...byKey("**"), spec: { ...byKey("**").spec, images: [] } }, "spec.images is empty"],
  [{ ...byKey("**"), spec: { ...byKey("**").spec, mode: "warn" } }, "spec.mode is not supported"],
  [policy("**", { keyless: {} } as Authority), "an authority's keyless is not supported"],
  [policy("**", { key: { data: "x", kms: "y" } } as Authority), "a key's kms is not supported"],
  [policy("**", { key: { data: "no key" } }), "a key cannot be read: "],
  [policy("**", { static: { action: "warn" } }), "static.action that is pass or fail"],
])("a policy that is not understood is refused: %#", (document, why) => {
  expect(() => parsePolicies([document])).toThrow(why);
});
