import { expect, test } from "vitest";
import type { KubeObject } from "../lib/object.ts";
import { changeFor, type Objects, snapshotFor, textOf } from "./downlink.ts";

type Shape = { address: string; heartbeat?: string };

const node = (name: string, { address, heartbeat }: Shape): KubeObject & Record<string, unknown> => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, uid: `uid of ${name}`, resourceVersion: "1" },
  spec: { podCIDR: "10.244.0.0/24" },
  status: {
    addresses: [{ type: "InternalIP", address }],
    conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: heartbeat }],
  },
});

const nothing: Objects = { get: () => undefined, list: () => [], podsOnNode: () => [], podsIn: () => [] };
const told = (old: KubeObject, object: KubeObject, to = "b") =>
  changeFor(to, { resource: "nodes", namespace: "", name: "a", object, old }, nothing, () => false);

test("nodes hear of another node's address, and not of its heartbeat", () => {
  const first = node("a", { address: "192.0.2.1", heartbeat: "1" });
  expect(told(first, node("a", { address: "192.0.2.1", heartbeat: "2" }))).toEqual([]);
  const moved = node("a", { address: "192.0.2.2", heartbeat: "2" });
  const [change] = told(first, moved);
  expect(change?.object).toMatchObject({ status: { addresses: [{ address: "192.0.2.2" }] } });
  expect(change?.object).not.toHaveProperty("status.conditions");
});

test("what all nodes are told is one change, which is written out as JSON would be", () => {
  const [old, object] = [node("a", { address: "192.0.2.1" }), node("a", { address: "192.0.2.2" })];
  const [one] = told(old, object, "b");
  const [other] = told(old, object, "c");
  expect(one).toBe(other);
  const snapshot = snapshotFor("b", { ...nothing, list: (resource) => (resource === "nodes" ? [object] : []) });
  expect(snapshot).toEqual([one]);
  expect(snapshot.map(textOf)).toEqual([JSON.stringify(one)]);
});

test("the version that a node's agent is to become is told to that node alone", () => {
  const old = node("a", { address: "192.0.2.1" });
  const object: KubeObject = {
    ...old,
    metadata: { ...old.metadata, annotations: { "skerry.dev/agent-version": "2", x: "y" } },
  };
  expect(told(old, object, "b")).toEqual([]);
  const [change] = told(old, object, "a");
  expect(change?.object).toMatchObject({ metadata: { annotations: { "skerry.dev/agent-version": "2" } } });
  expect(JSON.stringify(change)).not.toContain('"x"');
  expect(told(object, object, "a")).toEqual([]);
  const list = (resource: string) => (resource === "nodes" ? [object] : []);
  expect(snapshotFor("a", { ...nothing, list })).toEqual([change]);
  expect(JSON.stringify(snapshotFor("b", { ...nothing, list }))).not.toContain("agent-version");
});
