import { expect, test } from "vitest";
import { mergeV2, type Swagger } from "./openapi-v2.ts";

const to = (name: string, section = "definitions") => ({ $ref: `#/${section}/${name}` });

test("what two servers describe differently by one name gets another, wherever it is referred to", () => {
  const merged: Swagger = {
    paths: { "/apis/a/v1/things": to("Thing") },
    definitions: { Thing: { of: "ours" }, Shared: { same: true }, Thing_v2: { of: "another" } },
  };
  const other: Swagger = {
    paths: { "/apis/b/v1/things": { parameters: [to("dry", "parameters")], ...to("Box") }, "/apis/bb/v1/x": {} },
    definitions: {
      Box: { items: to("Thing"), shared: to("Shared"), self: to("Box") },
      Thing: { of: "theirs", box: to("Box") },
      Shared: { same: true },
    },
    parameters: { dry: { name: "dryRun" }, unused: {} },
  };
  mergeV2(merged, other, "/apis/b/v1/");
  expect(merged).toEqual({
    paths: {
      "/apis/a/v1/things": to("Thing"),
      "/apis/b/v1/things": { parameters: [to("dry", "parameters")], ...to("Box") },
    },
    definitions: {
      Thing: { of: "ours" },
      Thing_v2: { of: "another" },
      Thing_v3: { of: "theirs", box: to("Box") },
      Shared: { same: true },
      Box: { items: to("Thing_v3"), shared: to("Shared"), self: to("Box") },
    },
    parameters: { dry: { name: "dryRun" } },
  });
});

test("a reference to nothing ends nowhere", () => {
  const merged: Swagger = {};
  mergeV2(merged, { paths: { "/apis/b/v1/things": to("Missing") } }, "/apis/b/v1/");
  expect(merged.paths).toEqual({ "/apis/b/v1/things": to("Missing") });
});

test("what a server refers to and does not describe is described as anything", () => {
  const merged: Swagger = { paths: {}, definitions: {} };
  mergeV2(merged, { paths: { "/apis/b/v1/x": to("toString") }, definitions: {} }, "/apis/b/v1/");
  expect(merged).toEqual({ paths: { "/apis/b/v1/x": to("toString") }, definitions: { toString: {} } });
});
