import { expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../../lib/object.ts";
import { parentManagers, scaleManagers } from "./scale-fields.ts";

const pathOf = (apiVersion: string) => ({ "apps/v1": "spec.replicas", "apps/v2": null })[apiVersion];

const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: "apps/v1",
  time: "2026-01-01T00:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: fieldsV1 as Record<string, unknown>,
  ...more,
});

const replicas = { "f:spec": { "f:replicas": {} } };

test("who owns the number in the object owns it in the scale", () => {
  const parent = [
    entry("m1", "Apply", { "f:spec": { "f:paused": {}, "f:replicas": {} } }),
    entry("m2", "Update", { "f:spec": { "f:paused": {} } }),
    entry("m3", "Update", replicas, { apiVersion: "apps/v2" }),
  ];
  expect(scaleManagers(parent, pathOf)).toEqual([entry("m1", "Apply", replicas, { apiVersion: "autoscaling/v1" })]);
});

test("who lost the number in the scale loses it, and who won it gets an entry that does not say when", () => {
  const parent = [entry("m1", "Apply", { "f:spec": { "f:paused": {}, "f:replicas": {} } })];
  const scale = [entry("hpa", "Update", replicas, { apiVersion: "autoscaling/v1", subresource: "scale" })];
  const { time: _, ...untimed } = entry("hpa", "Update", replicas, { subresource: "scale" });
  expect(parentManagers(parent, scale, pathOf, "apps/v1")).toEqual([
    entry("m1", "Apply", { "f:spec": { "f:paused": {} } }),
    untimed,
  ]);
});

test("an applier that keeps the number keeps its entry, and versions that are not known go", () => {
  const parent = [entry("m1", "Apply", replicas), entry("m2", "Update", replicas, { apiVersion: "apps/v0" })];
  const scale = [entry("m1", "Apply", replicas, { apiVersion: "autoscaling/v1" })];
  expect(parentManagers(parent, scale, pathOf, "apps/v1")).toEqual([parent[0]]);
});
