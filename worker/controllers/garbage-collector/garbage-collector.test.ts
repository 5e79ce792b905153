import { describe, expect, test } from "vitest";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject, OwnerReference } from "../../lib/object.ts";
import { Model } from "../testing.ts";
import { garbageCollector } from "./garbage-collector.ts";

function refTo(owner: KubeObject, more: Partial<OwnerReference> = {}): OwnerReference {
  const { apiVersion = "", kind = "", metadata } = owner;
  return { apiVersion, kind, name: metadata?.name ?? "", uid: metadata?.uid ?? "", ...more };
}

function configMap(model: Model, name: string, ...ownerReferences: OwnerReference[]): ConfigMap {
  const metadata = { name, namespace: "default", ...(ownerReferences.length > 0 && { ownerReferences }) };
  return model.create(ConfigMap, { metadata });
}

const cluster = () => new Model([garbageCollector]);
const names = (model: Model) => model.list(ConfigMap).map(({ metadata }) => metadata.name);
const remove = (model: Model, object: KubeObject, propagationPolicy: "Background" | "Foreground" | "Orphan") => {
  model.delete(ConfigMap as unknown as Kind, object, { propagationPolicy });
  model.rest();
};

describe("in the background", () => {
  test("dependents go after their owner, and theirs after them", () => {
    const model = cluster();
    const top = configMap(model, "top");
    const middle = configMap(model, "middle", refTo(top));
    configMap(model, "bottom", refTo(middle));
    configMap(model, "free");
    model.rest();
    remove(model, top, "Background");
    expect(names(model)).toEqual(["free"]);
  });

  test("an object stays while one of its owners does, and forgets the others", () => {
    const model = cluster();
    const [a, b] = [configMap(model, "a"), configMap(model, "b")];
    configMap(model, "shared", refTo(a), refTo(b));
    remove(model, a, "Background");
    expect(model.get(ConfigMap, "shared")?.metadata.ownerReferences).toEqual([refTo(b)]);
    remove(model, b, "Background");
    expect(names(model)).toEqual([]);
  });

  test("owners count by uid: a namesake holds nothing", () => {
    const model = cluster();
    const owner = configMap(model, "owner");
    configMap(model, "dependent", refTo(owner, { uid: "of-an-earlier-one" }));
    model.rest();
    expect(names(model)).toEqual(["owner"]);
  });

  test("an owner of a kind that is not served may come back: nothing is deleted", () => {
    const model = cluster();
    configMap(model, "dependent", { apiVersion: "example.com/v1", kind: "Widget", name: "w", uid: "w" });
    model.rest();
    expect(names(model)).toEqual(["dependent"]);
  });

  test("a cluster-wide object of a namespaced owner is never collected, and an event says why", () => {
    const model = cluster();
    const owner = configMap(model, "owner");
    model.create(Namespace, { metadata: { name: "odd", ownerReferences: [refTo(owner)] }, spec: {} });
    remove(model, owner, "Background");
    expect(model.get(Namespace, "odd")).toBeDefined();
    expect(model.events).toContainEqual(
      expect.objectContaining({ type: "Warning", reason: "OwnerRefInvalidNamespace", about: "Namespace /odd" }),
    );
  });
});

describe("in the foreground", () => {
  test("the owner waits for dependents that block it", () => {
    const model = cluster();
    const owner = configMap(model, "owner");
    const pod = model.create(Pod, {
      metadata: {
        name: "slow",
        namespace: "default",
        ownerReferences: [refTo(owner, { blockOwnerDeletion: true })],
      },
      spec: { containers: [], nodeName: "node-a" },
    });
    remove(model, owner, "Foreground");
    expect(model.get(ConfigMap, "owner")?.metadata.deletionTimestamp).toBeDefined();
    expect(model.get(Pod, "slow")?.metadata.deletionTimestamp).toBeDefined();
    model.endPod(pod);
    model.rest();
    expect(model.get(ConfigMap, "owner")).toBeUndefined();
  });

  test("the wait reaches down through the generations", () => {
    const model = cluster();
    const blocking = { blockOwnerDeletion: true };
    const top = configMap(model, "top");
    const middle = configMap(model, "middle", refTo(top, blocking));
    const pod = model.create(Pod, {
      metadata: { name: "slow", namespace: "default", ownerReferences: [refTo(middle, blocking)] },
      spec: { containers: [], nodeName: "node-a" },
    });
    remove(model, top, "Foreground");
    expect(names(model)).toEqual(["middle", "top"]);
    model.endPod(pod);
    model.rest();
    expect(names(model)).toEqual([]);
  });

  test("owners in a circle do not wait for each other for ever", () => {
    const model = cluster();
    const blocking = { blockOwnerDeletion: true };
    const first = configMap(model, "first");
    const second = configMap(model, "second", refTo(first, blocking));
    const third = configMap(model, "third", refTo(second, blocking));
    model.edit(ConfigMap, first, (object) => {
      object.metadata.ownerReferences = [refTo(third, blocking)];
    });
    model.rest();
    remove(model, model.get(ConfigMap, "first") ?? first, "Foreground");
    expect(names(model)).toEqual([]);
  });

  test("dependents that do not block go, but no one waits for them", () => {
    const model = cluster();
    const owner = configMap(model, "owner");
    configMap(model, "dependent", refTo(owner));
    remove(model, owner, "Foreground");
    expect(names(model)).toEqual([]);
  });
});

test("orphaned dependents lose the reference and stay", () => {
  const model = cluster();
  const owner = configMap(model, "owner");
  configMap(model, "dependent", refTo(owner));
  remove(model, owner, "Orphan");
  expect(names(model)).toEqual(["dependent"]);
  expect(model.get(ConfigMap, "dependent")?.metadata.ownerReferences).toBeUndefined();
});
