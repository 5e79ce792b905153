import { beforeEach, describe, expect, test } from "vitest";
import { type Facts, GRACE_MS } from "./facts.ts";
import type { ManifestFacts } from "./manifest.ts";
import { digest, factsInMemory } from "./testing/facts.ts";

let now: number;
let facts: Facts;
beforeEach(() => {
  now = GRACE_MS;
  ({ facts } = factsInMemory(() => now));
});

const [LAYER, IMAGE, OTHER, INDEX] = ["a", "b", "c", "d"].map(digest) as [string, string, string, string];
const chunk = (start: number, size: number) => ({
  chunk: { start, size, name: `${start}` },
  hash: `after ${start + size}`,
});

function upload(repository: string, size: number): string {
  const id = facts.open(repository);
  facts.append(repository, id, chunk(0, size));
  return id;
}
const push = (repository: string, name: string) =>
  facts.complete(repository, upload(repository, 5), { digest: name, size: 5 });
const plain: ManifestFacts = { mediaType: "image", artifactType: "", subject: "", annotations: "", needs: [] };
const manifest = (name: string, given: Partial<ManifestFacts>, ...tags: string[]) =>
  facts.putManifest("app", { ...plain, ...given, digest: name, upload: upload("app", 7), size: 7, tags });

describe("an upload", () => {
  test("grows at its end alone, and is its repository's", () => {
    const id = facts.open("app");
    expect(facts.append("app", id, chunk(0, 10))).toBe("kept");
    expect(facts.append("app", id, chunk(0, 10))).toBe("gone");
    expect(facts.append("other", id, chunk(10, 1))).toBe("gone");
    expect(facts.append("app", id, chunk(10, 5))).toBe("kept");
    expect(facts.upload("app", id)).toEqual({ size: 15, hash: "after 15" });
    expect(facts.complete("app", id, { digest: LAYER, size: 10 })).toBe(false);
    expect(facts.complete("app", id, { digest: LAYER, size: 15 })).toBe(true);
    expect(facts.append("app", id, chunk(15, 1))).toBe("gone");
    expect(facts.blob("app", LAYER, false)).toMatchObject({
      upload: id,
      size: 15,
      chunks: [{ start: 0 }, { start: 10 }],
    });
  });

  test("of bytes that are there takes their place for all repositories, which mends what the bucket has lost", () => {
    push("app", LAYER);
    push("other", LAYER);
    const found = { upload: "upload-2", chunks: [{ start: 0 }] };
    expect([facts.blob("app", LAYER, false), facts.blob("other", LAYER, false)]).toMatchObject([found, found]);
    expect(facts.chunks("upload-1")).toEqual([]);
  });
});

test("a blob is mounted from who has it, and is there for others when one repository lets go of it", () => {
  push("app", LAYER);
  expect(facts.mount("none", "other", LAYER)).toBe("gone");
  expect(facts.mount("app", "other", LAYER)).toBe("kept");
  expect(facts.holders(LAYER)).toEqual(["app", "other"]);
  expect([facts.removeBlob("app", LAYER), facts.removeBlob("app", LAYER)]).toEqual([true, false]);
  expect([facts.blob("app", LAYER, false), facts.blob("other", LAYER, false)]).toMatchObject([undefined, { size: 5 }]);
});

test("a manifest needs what its repository has, and takes its tags with it", () => {
  push("other", LAYER);
  expect(manifest(IMAGE, { needs: [LAYER, OTHER] }, "1")).toEqual({ missing: [LAYER, OTHER] });
  expect(facts.manifest("app", "1", false)).toBeUndefined();
  push("app", LAYER);
  expect(manifest(IMAGE, { needs: [LAYER] }, "1", "2")).toBe("kept");
  expect(manifest(INDEX, { needs: [IMAGE] }, "2")).toBe("kept");
  expect(facts.manifest("app", "1", false)).toMatchObject({ digest: IMAGE, mediaType: "image", size: 7 });
  expect(facts.manifest("app", "2", false)).toMatchObject({ digest: INDEX });
  expect(facts.tags("app", "", 1)).toEqual({ names: ["1"], more: true });
  expect(facts.tags("app", "1", 1)).toEqual({ names: ["2"], more: false });
  expect(facts.repositories("", 9)).toEqual({ names: ["app"], more: false });
  expect(facts.removeManifest("app", "2")).toBe(true);
  expect(facts.manifest("app", INDEX, false)).toBeDefined();
  expect(facts.removeManifest("app", IMAGE)).toBe(true);
  expect(facts.tags("app", "", 9)).toEqual({ names: [], more: false });
  expect(facts.tags("none", "", 9)).toBeUndefined();
});

test("referrers are told as descriptors, before their subject is there too", () => {
  manifest(OTHER, { subject: IMAGE, artifactType: "signature", annotations: '{"by":"jane"}' });
  manifest(INDEX, { subject: IMAGE, artifactType: "sbom" });
  const signature = {
    mediaType: "image",
    digest: OTHER,
    size: 7,
    artifactType: "signature",
    annotations: { by: "jane" },
  };
  expect(facts.referrers("app", IMAGE, "")).toMatchObject([signature, { digest: INDEX }]);
  expect(facts.referrers("app", IMAGE, "signature")).toEqual([signature]);
  expect(facts.referrers("app", "", "")).toEqual([]);
});
