/** The clients of other languages, unmodified: each lives through the same day, told in `programs`. */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/cluster.ts";
import { nodeClient, pythonClient } from "../support/programs.ts";

/** What a program says when all is well, line by line. */
const DAY = [
  "created web with 1 replicas",
  "ready after Added",
  "log: started",
  "exec: hello from inside",
  "scaled to 2",
  "patched: blue, and kept a=1",
  "applied by day: green",
  "conflict: 409 Conflict",
  "custom: 3, then 4; refused: 422 Invalid",
  "paged: 7 in 3 pages",
  "watched: ADDED late, MODIFIED late, DELETED late",
  "gone: 404 NotFound",
];
const PROGRAMS = {
  "@kubernetes/client-node": async () => [
    process.execPath,
    join(import.meta.dirname, "programs/day.mjs"),
    await nodeClient(),
  ],
  "the Python client": async () => [await pythonClient(), join(import.meta.dirname, "programs/day.py")],
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
  await cluster.apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: gadgets.day.example.com }
spec:
  group: day.example.com
  scope: Namespaced
  names: { plural: gadgets, singular: gadget, kind: Gadget }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: { spec: { type: object, properties: { size: { type: integer, maximum: 9 } } } }
`);
});
afterAll(() => cluster?.stop());

describe.each(Object.entries(PROGRAMS))("%s", (name, prepare) => {
  test("works, watches, runs commands and sees refusals for what they are", async () => {
    const [program = "", ...args] = await prepare();
    const namespace = name
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, "-")
      .replaceAll(/^-|-$/g, "");
    await cluster.ok(`create namespace ${namespace}`);
    const done = await cluster.kubectl([...args, namespace], { kubectl: program });
    expect(done.stdout.trim().split("\n"), done.stderr).toEqual(DAY);
    expect(done.code).toBe(0);
  });
});
