import { beforeEach, describe, expect, test } from "vitest";
import { type Facts, GRACE_MS } from "./facts.ts";
import { Garbage } from "./garbage.ts";
import type { ManifestFacts } from "./manifest.ts";
import { digest, factsInMemory } from "./testing/facts.ts";

let now: number;
let facts: Facts;
let garbage: Garbage;
beforeEach(() => {
  now = GRACE_MS;
  const { sql, facts: made } = factsInMemory(() => now);
  facts = made;
  garbage = new Garbage({ sql, now: () => now });
});

const [LAYER, IMAGE, INDEX, SIGNATURE] = ["a", "b", "c", "d"].map(digest) as [string, string, string, string];

function upload(repository: string): string {
  const id = facts.open(repository);
  facts.append(repository, id, { chunk: { start: 0, size: 5, name: "0" }, hash: "" });
  return id;
}
const push = (repository: string, name: string) =>
  facts.complete(repository, upload(repository), { digest: name, size: 5 });
function manifest(name: string, given: Partial<ManifestFacts>, ...tags: string[]) {
  const plain = { mediaType: "image", artifactType: "", subject: "", annotations: "", needs: [] };
  facts.putManifest("app", { ...plain, ...given, digest: name, upload: upload("app"), size: 5, tags });
}
const collect = (...used: string[]) => garbage.collect(used, GRACE_MS);
const later = () => {
  now += GRACE_MS;
};
const kept = () =>
  [LAYER, IMAGE, INDEX, SIGNATURE].filter(
    (name) => facts.blob("app", name, false) ?? facts.manifest("app", name, false),
  );
const HOUR_MS = 60 * 60 * 1000;
const NOTHING = { manifests: 0, blobs: 0, uploads: 0, bytes: 0 };

describe("what stays", () => {
  beforeEach(() => {
    push("app", LAYER);
    manifest(IMAGE, { needs: [LAYER] });
    manifest(INDEX, { needs: [IMAGE] }, "1");
    manifest(SIGNATURE, { subject: INDEX });
  });

  test("is all that a tag leads to, and what refers to that", () => {
    later();
    expect(collect()).toEqual(NOTHING);
    facts.removeManifest("app", "1");
    expect(collect()).toEqual({ manifests: 3, blobs: 1, uploads: 0, bytes: 20 });
    expect(kept()).toEqual([]);
    expect(garbage.folders(9)).toHaveLength(4);
  });

  test("is what runs, with what it needs", () => {
    facts.removeManifest("app", "1");
    later();
    expect(collect(IMAGE)).toMatchObject({ manifests: 2, blobs: 0 });
    expect(kept()).toEqual([LAYER, IMAGE]);
  });

  test("is what a client was told a while ago that it is there", () => {
    facts.removeManifest("app", INDEX);
    facts.removeManifest("app", IMAGE);
    facts.removeManifest("app", SIGNATURE);
    later();
    facts.blob("app", LAYER, true);
    now += 8 * HOUR_MS;
    facts.blob("app", LAYER, true);
    now += 24 * HOUR_MS;
    expect(collect()).toMatchObject({ blobs: 0 });
    later();
    facts.blob("app", LAYER, false);
    expect(collect()).toMatchObject({ blobs: 1, bytes: 5 });
  });
});

test("bytes stay as long as one repository has them, and go once", () => {
  push("app", LAYER);
  push("other", LAYER);
  later();
  facts.blob("other", LAYER, true);
  expect(collect()).toEqual({ manifests: 0, blobs: 1, uploads: 0, bytes: 0 });
  later();
  expect(collect()).toEqual({ manifests: 0, blobs: 1, uploads: 0, bytes: 5 });
  // The first was garbage from when the second had brought the same.
  expect(garbage.folders(9)).toEqual(["upload-1", "upload-2"]);
  garbage.swept(["upload-1"]);
  expect(garbage.folders(9)).toEqual(["upload-2"]);
});

test("an upload goes when nobody has gone on with it, and an open one is not garbage when it is found", () => {
  const id = facts.open("app");
  garbage.found([id, "of nobody"]);
  expect(garbage.folders(9)).toEqual(["of nobody"]);
  expect(collect()).toEqual(NOTHING);
  later();
  expect(collect()).toMatchObject({ uploads: 1 });
  expect(facts.upload("app", id)).toBeUndefined();
});
