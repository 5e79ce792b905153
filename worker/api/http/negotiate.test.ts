import { describe, expect, test } from "vitest";
import type { ApiError } from "../../lib/status.ts";
import { type Endpoint, errorFormat, negotiate, wantsPretty } from "./negotiate.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const PARTIAL = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const OBJECTS = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

const collection: Endpoint = { collection: true, hasProtobuf: true, converts: "all", isRouted: true };
const single: Endpoint = { ...collection, collection: false };
const custom: Endpoint = { ...collection, hasProtobuf: false, isRouted: false };

const refusal = (accept: string, endpoint = single, isWatch = false): ApiError => {
  try {
    negotiate(accept, endpoint, isWatch);
  } catch (error) {
    return error as ApiError;
  }
  throw new Error(`${accept} was not refused`);
};

describe("representations", () => {
  test.each([
    [null, "json", "json"],
    ["*/*", "json", "json"],
    ["application/yaml", "yaml", "json"],
    [`${TABLE},application/json`, "json", "table"],
    ["application/yaml;as=Table;v=v1;g=meta.k8s.io", "yaml", "table"],
    ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "json", "metadata-list"],
    [`${PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json`, "json", "json"],
    ["application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "json", "json"],
    ["application/json;q=0.5,application/yaml", "yaml", "json"],
    ["application/cbor,application/json", "json", "json"],
    [PROTOBUF, "protobuf", "json"],
    [`${PROTOBUF};${PARTIAL}`, "protobuf", "metadata"],
    // Browsers: what is named goes before what is not, whatever its quality.
    ["text/html,application/xml;q=0.9,*/*;q=0.8", "json", "json"],
    ["application/json;stream=watch", "json", "json"],
  ])("%s", (accept, encoding, shape) => {
    expect(negotiate(accept, collection)).toMatchObject({ encoding, shape });
  });

  test("whoever takes JSON as gladly as protobuf gets JSON, and whoever takes it less gladly does not", () => {
    expect(negotiate(`${PROTOBUF},application/json`, collection)).toMatchObject({ encoding: "json" });
    expect(negotiate(`${PROTOBUF}, */*`, collection)).toMatchObject({ encoding: "json" });
    expect(negotiate(`${PROTOBUF},application/json;q=0.9`, collection)).toMatchObject({ encoding: "protobuf" });
    const metadata = `${PROTOBUF};${PARTIAL},application/json;${PARTIAL},application/json`;
    expect(negotiate(metadata, collection)).toMatchObject({ encoding: "protobuf", shape: "metadata" });
  });

  test("tables and metadata come under both versions", () => {
    const older = "application/json;as=Table;v=v1beta1;g=meta.k8s.io";
    expect(negotiate(older, collection)).toMatchObject({ shape: "table", metaVersion: "v1beta1" });
    expect(negotiate(TABLE, collection)).toMatchObject({ shape: "table", metaVersion: "v1" });
  });

  test("parameters: indented where asked, and unknown ones mean nothing", () => {
    expect(negotiate("application/json;pretty=1", single)).toMatchObject({ pretty: true });
    expect(negotiate("application/json;charset=utf-8;foo=bar", single)).toMatchObject({ encoding: "json" });
  });
});

describe("refusals", () => {
  test("types that no path knows", () => {
    const message = `406: Not Acceptable\n\nAvailable representations: ${OBJECTS}`;
    expect(refusal("application/cbor")).toMatchObject({ code: 406, message });
    // So says kube-apiserver: its router compares types as they are written.
    for (const accept of ["application/*", "APPLICATION/JSON", "text/plain"])
      expect(refusal(accept)).toMatchObject({ message });
    expect(refusal("text/plain", collection).message).toBe(
      `${message}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch`,
    );
  });

  test("what is known and cannot be had", () => {
    const message = `only the following media types are accepted: ${OBJECTS}`;
    expect(refusal("application/json;as=Table;v=v2;g=meta.k8s.io")).toMatchObject({ code: 406, message });
    expect(refusal(`${PROTOBUF};as=Table;v=v1;g=meta.k8s.io`)).toMatchObject({ message });
    expect(refusal(TABLE, { ...single, converts: "metadata" })).toMatchObject({ message });
  });

  test("documents have no other shape", () => {
    const document: Endpoint = { ...single, converts: "none", isRouted: false };
    expect(refusal(`application/json;${PARTIAL}`, document)).toMatchObject({ code: 406 });
    expect(negotiate(`${PROTOBUF};${PARTIAL},application/*`, document)).toMatchObject({ shape: "json" });
  });

  test("custom resources: no protobuf but for metadata, and every wildcard", () => {
    expect(refusal(PROTOBUF, custom)).toMatchObject({ code: 406 });
    expect(negotiate(`${PROTOBUF};${PARTIAL}`, custom)).toMatchObject({ encoding: "protobuf", shape: "metadata" });
    expect(negotiate("application/*", custom)).toMatchObject({ encoding: "json" });
  });

  test("YAML does not stream", () => {
    expect(refusal("application/yaml", collection, true).message).toBe(
      "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
    );
  });
});

test("errors come as accepted, and indented where nothing is", () => {
  const formatFor = (accept: string, agent = "kubectl/v1.35.4") =>
    errorFormat(new Request("https://cluster/api", { headers: { accept, "user-agent": agent } }));
  expect(formatFor(`${PROTOBUF},application/json`)).toEqual({ encoding: "protobuf", pretty: false });
  expect(formatFor(`${TABLE},application/json`)).toEqual({ encoding: "json", pretty: false });
  expect(formatFor(TABLE)).toEqual({ encoding: "json", pretty: true });
  expect(formatFor("*/*", "curl/8.5.0")).toEqual({ encoding: "json", pretty: true });
});

test("humans get indented JSON unless they say no", () => {
  expect(wantsPretty(new URLSearchParams(), "curl/8.5.0")).toBe(true);
  expect(wantsPretty(new URLSearchParams("pretty=false"), "curl/8.5.0")).toBe(false);
  expect(wantsPretty(new URLSearchParams("pretty=true"), "kubectl/v1.35.4")).toBe(true);
  expect(wantsPretty(new URLSearchParams("pretty=yes"), "curl/8.5.0")).toBe(false);
  expect(wantsPretty(new URLSearchParams(), "kubectl/v1.35.4")).toBe(false);
});
