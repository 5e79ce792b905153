import { expect, test } from "vitest";
import { placeOf } from "./names.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

test.each([
  ["app/manifests/1", { type: "manifest", repository: "app", reference: "1" }],
  ["app/manifests/manifests/1", { type: "manifest", repository: "app/manifests", reference: "1" }],
  [`app/blobs/blobs/${DIGEST}`, { type: "blob", repository: "app/blobs", digest: DIGEST }],
  ["app/blobs/blobs/uploads/", { type: "uploads", repository: "app/blobs" }],
  ["app/manifests/blobs/uploads/u", { type: "upload", repository: "app/manifests", id: "u" }],
  [`app/referrers/referrers/${DIGEST}`, { type: "referrers", repository: "app/referrers", digest: DIGEST }],
  ["app/blobs/tags/list", { type: "tags", repository: "app/blobs" }],
  ["app/tags/list/manifests/1", { type: "manifest", repository: "app/tags/list", reference: "1" }],
])("/v2/%s", (path, place) => expect(placeOf(`/v2/${path}`)).toEqual(place));
