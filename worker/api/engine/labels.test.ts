import { expect, it } from "vitest";
import { labelsIn } from "./labels.ts";

const stored = (metadata: object, more: object = {}) =>
  JSON.stringify({ apiVersion: "v1", kind: "X", metadata, ...more });
const template = { spec: { template: { metadata: { labels: { of: "template" } } } } };

it.each([
  [
    { name: "a", namespace: "n", resourceVersion: "1", labels: { x: "1", "example.com/y": "" } },
    { x: "1", "example.com/y": "" },
  ],
  [{ name: "a", generation: 3, deletionGracePeriodSeconds: 0, annotations: { labels: "no" } }, {}],
  [{ name: "a", managedFields: [{ fieldsV1: { "f:labels": {} } }] }, {}],
  [{ name: "a" }, {}],
])("finds the labels of %j", (metadata, labels) => expect(labelsIn(stored(metadata, template))).toEqual(labels));

it.each([[{ name: 'a"b', labels: { x: "1" } }], [{ name: "a", surprise: 1, labels: { x: "1" } }]])(
  "does not guess about %j",
  (metadata) => expect(labelsIn(stored(metadata, template))).toBeUndefined(),
);
