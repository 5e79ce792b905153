import { expect, test } from "vitest";
import type { KubeObject } from "../lib/object.ts";
import { Mentions } from "./mentions.ts";

const pod = (namespace: string, name: string, nodeName: string, configMap: string): KubeObject =>
  ({
    metadata: { namespace, name },
    spec: { nodeName, volumes: [{ name: "v", configMap: { name: configMap } }], containers: [] },
  }) as KubeObject;

test("the nodes that mention an object are read once, and learnt from then on", () => {
  let reads = 0;
  const mentions = new Mentions({
    get: () => undefined,
    list: () => [],
    podsOnNode: () => [],
    volumesWithWork: () => [],
    podsIn(namespace) {
      reads++;
      return [[pod(namespace, "a", "node-a", "settings"), pod(namespace, "b", "", "settings")]];
    },
  });
  const settings = { resource: "configmaps", namespace: "default", name: "settings" };
  const learn = (object: KubeObject, namespace: string) =>
    mentions.learn({ resource: "pods", namespace, name: "b", object, old: undefined });
  learn(pod("default", "b", "node-x", "settings"), "default"); // of a namespace that nobody asked about
  expect([...mentions.nodes(settings)]).toEqual(["node-a"]);
  learn(pod("default", "b", "node-b", "settings"), "default");
  expect([...mentions.nodes(settings)]).toEqual(["node-a", "node-b"]);
  expect([...mentions.nodes({ ...settings, resource: "secrets" })]).toEqual([]);
  expect(reads).toBe(1);
});
