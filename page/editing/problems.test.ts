import { expect, test } from "vitest";
import { problemsOf } from "./problems.ts";
import { KIND } from "./testing/kind.ts";

const told = (text: string) => problemsOf(text, KIND).map(({ line, what }) => `${line}: ${what}`);

test("what fits is right, and so is null, an anchor, a moment and what a field of two types takes", () => {
  expect(
    told(`
metadata: {name: &n a, labels: {a.b/c: *n}}
spec:
  replicas: 2
  until: 2026-01-02T03:04:05Z
  paused: null
  modes: [Once]
  containers:
    - {name: c, limit: 1.5, ports: [{port: 80, target: web}, {port: 81, target: 8}]}
`),
  ).toEqual([]);
});

test("each problem is told by its line", () => {
  expect(
    told(`spec:
  Replica: 2
  replicas: "2"
  paused: yes please
  modes: [Twice]
  containers:
    - image: 7
    - just words
metadata:
  labels:
    a: 1
`),
  ).toEqual([
    "2: spec.Replica is no field of this kind; replicas is",
    "3: spec.replicas must be an integer, not a string",
    "4: spec.paused must be a boolean, not a string",
    "5: spec.modes[0] must be one of Once, Many, not Twice",
    "7: spec.containers[0].image must be a string, not an integer",
    "7: spec.containers[0].name is required",
    "8: spec.containers[1] must be an object, not a string",
    "11: metadata.labels.a must be a string, not an integer",
  ]);
  expect(told("spec: {}")).toEqual(["1: spec.containers is required"]);
});

test("what is no YAML is told as such, with or without a schema", () => {
  expect(problemsOf("a: [1\nb: 2", undefined)[0]).toMatchObject({ isYaml: true });
  expect(problemsOf("a: 1\na: 2", KIND)[0]).toMatchObject({ line: 2, isYaml: true });
  expect(problemsOf("a: 1", undefined)).toEqual([]);
});

test("an alias that names itself ends", () => {
  expect(told("metadata: &m {labels: *m}").length).toBeGreaterThan(0);
});
