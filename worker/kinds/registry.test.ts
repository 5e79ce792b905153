import { expect, test } from "vitest";
import { Pod } from "./core/pod.ts";
import { builtinKinds } from "./registry.ts";

test("every resource of a stable version is served, and no alpha or beta, as kube-apiserver does unasked", () => {
  const kinds = builtinKinds();
  expect([...kinds.all()].length).toBe(66);
  for (const kind of kinds.all()) {
    expect(kind.version).toMatch(/^v\d+$/);
    expect(kind.schema.type, kind.groupResource).toBe("object");
    expect(kinds.find(kind.group, kind.version, kind.resource)).toBe(kind);
  }
});

test("a kind with a file of its own is that value", () => {
  const kinds = builtinKinds();
  expect(kinds.find("", "v1", "pods")).toBe(Pod);
  expect(kinds.byKind("v1", "Pod")).toBe(Pod);
});

test("the first version in discovery is preferred", () => {
  const kinds = builtinKinds();
  expect(kinds.preferred("horizontalpodautoscalers.autoscaling")?.version).toBe("v2");
  expect(kinds.versions("horizontalpodautoscalers.autoscaling").map((k) => k.version)).toEqual(["v2", "v1"]);
});

test("kinds come and go", () => {
  const kinds = builtinKinds();
  const crontab = {
    ...Pod,
    group: "example.com",
    kind: "CronTab",
    apiVersion: "example.com/v1",
    groupResource: "pods.example.com",
  };
  kinds.add(crontab);
  expect(kinds.preferred("pods.example.com")).toBe(crontab);
  const renewed = { ...crontab };
  kinds.add(renewed);
  expect(kinds.versions("pods.example.com")).toEqual([renewed]);
  kinds.remove(renewed);
  expect(kinds.find("example.com", "v1", "pods")).toBeUndefined();
  expect(kinds.versions("pods.example.com")).toEqual([]);
  expect(kinds.byKind("v1", "Pod")).toBe(Pod);
});

test("built-in objects round-trip: every kind can default an empty object", () => {
  for (const kind of builtinKinds().all()) expect(() => kind.default({ metadata: {} }), kind.kind).not.toThrow();
});
