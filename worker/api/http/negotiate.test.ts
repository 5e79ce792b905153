import { describe, expect, test } from "vitest";
import type { ApiError } from "../../lib/status.ts";
import { negotiate, wantsPretty } from "./negotiate.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

describe("representations", () => {
  test.each([
    [null, "json", "json"],
    ["*/*", "json", "json"],
    ["application/yaml", "yaml", "json"],
    [`${TABLE},application/json`, "json", "table"],
    ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "json", "metadata"],
    ["application/vnd.kubernetes.protobuf,application/json", "json", "json"],
    ["application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", "json", "json"],
    ["application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", "json", "json"],
    ["application/json;q=0.5,application/yaml", "yaml", "json"],
  ])("%s", (accept, encoding, shape) => {
    expect(negotiate(accept, true)).toEqual({ encoding, shape });
  });

  const refusal = (accept: string, collection = false) => {
    try {
      return negotiate(accept, collection);
    } catch (error) {
      return error as ApiError;
    }
  };

  test("protobuf goes to those who take nothing else, where there is a protobuf form", () => {
    const protobuf = { encoding: "protobuf", shape: "json" };
    expect(negotiate("application/vnd.kubernetes.protobuf", false, true)).toEqual(protobuf);
    expect(negotiate("application/vnd.kubernetes.protobuf, */*", false, true)).toMatchObject({ encoding: "json" });
    expect(() => negotiate("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", true, true)).toThrow();
  });

  test("protobuf alone is otherwise refused by naming what there is", () => {
    expect(refusal("application/vnd.kubernetes.protobuf")).toMatchObject({
      code: 406,
      message: "only the following media types are accepted: application/json, application/yaml",
    });
  });

  test("only collections tell of streams", () => {
    expect(refusal("text/plain", true)).toMatchObject({ message: expect.stringContaining("stream=watch") });
    expect(refusal("text/plain")).toMatchObject({ message: expect.not.stringContaining("stream=watch") });
  });
});

test("humans get indented JSON unless they say no", () => {
  expect(wantsPretty(new URLSearchParams(), "curl/8.5.0")).toBe(true);
  expect(wantsPretty(new URLSearchParams("pretty=false"), "curl/8.5.0")).toBe(false);
  expect(wantsPretty(new URLSearchParams("pretty=true"), "kubectl/v1.35.4")).toBe(true);
  expect(wantsPretty(new URLSearchParams(), "kubectl/v1.35.4")).toBe(false);
});
