import { describe, expect, test } from "vitest";
import { readManifest } from "./manifest.ts";

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const bytes = (manifest: object) => new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, ...manifest }));
const reading =
  (manifest: object, type = IMAGE) =>
  () =>
    readManifest(bytes(manifest), type);

describe("a manifest", () => {
  test.each(["text/html", "image/svg+xml", "application/", "application/x y", `application/${"x".repeat(128)}`])(
    "is not of the type %s, which it would be served as",
    (type) => {
      expect(reading({}, type)).toThrow("is no media type of manifests");
      expect(reading({ mediaType: type }, "")).toThrow("is no media type of manifests");
    },
  );

  test("has the type that its request says, or itself", () => {
    expect(reading({}, `${IMAGE}; charset=utf-8`)()).toMatchObject({ mediaType: IMAGE });
    expect(reading({ mediaType: IMAGE }, "")()).toMatchObject({ mediaType: IMAGE });
  });

  test("of a subject has annotations of strings, as many as an answer about referrers can tell", () => {
    const subject = { digest: `sha256:${"a".repeat(64)}` };
    expect(reading({ subject, annotations: { by: "jane" } })()).toMatchObject({ annotations: '{"by":"jane"}' });
    expect(reading({ subject, annotations: null })()).toMatchObject({ annotations: "" });
    for (const annotations of [["a"], "a", { a: 1 }, { a: { b: "c" } }])
      expect(reading({ subject, annotations })).toThrow("annotations are a map of strings");
    const long = "x".repeat(64 * 1024);
    for (const manifest of [{ annotations: { long } }, { artifactType: `${long}x` }])
      expect(reading({ subject, ...manifest })).toThrow("limited to 65536 characters");
    // Of others nobody asks for them but with the manifest.
    expect(reading({ annotations: { long } })()).toMatchObject({ annotations: "" });
  });
});
