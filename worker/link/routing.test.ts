/** What nodes hear of each other's Nodes. */
import { expect, test } from "vitest";
import type { KubeObject } from "../lib/object.ts";
import { changeFor, isToldAlone, type Objects, routing } from "./downlink.ts";

const KEY = "skerry.dev/wireguard-public-key";
const PORT = "skerry.dev/wireguard-port";

const node = (annotations: Record<string, string>): KubeObject =>
  ({ apiVersion: "v1", kind: "Node", metadata: { name: "node-b", annotations } }) as KubeObject;

const heard = (before: Record<string, string>, after: Record<string, string>) =>
  changeFor(
    "node-a",
    { resource: "nodes", namespace: "", name: "node-b", object: node(after), old: node(before) },
    {} as Objects,
    () => false,
  );

test("all nodes hear by which key and port a node is reached, and of no other annotation of it", () => {
  const annotations = { [KEY]: "k", [PORT]: "20000", "skerry.dev/paths": "x=relay", "skerry.dev/agent-version": "2" };
  expect(routing(node(annotations), false).metadata?.annotations).toEqual({ [KEY]: "k", [PORT]: "20000" });
  expect(routing(node({ other: "x" }), false).metadata).not.toHaveProperty("annotations");
});

test("a new key is heard of, and another way to a third node is not", () => {
  expect(heard({ [KEY]: "k" }, { [KEY]: "l" })).toHaveLength(1);
  expect(heard({ [KEY]: "k", "skerry.dev/paths": "c=relay" }, { [KEY]: "k", "skerry.dev/paths": "c=direct" })).toEqual(
    [],
  );
});

test.each([
  ["the volumes that are attached to it", { volumesAttached: [{ name: "kubernetes.io/csi/d^h", devicePath: "" }] }],
  ["what others say that it has", { capacity: { "example.com/dongle": "4" } }],
])("a node alone hears of %s", (_, status) => {
  const old = node({});
  const object = { ...old, status } as KubeObject;
  const write = { resource: "nodes", namespace: "", name: "node-b", object, old };
  const told = (who: string) => changeFor(who, write, {} as Objects, () => false);
  expect(told("node-b")).toMatchObject([{ object: { status } }]);
  expect(told("node-a")).toEqual([]);
  expect(isToldAlone(write)).toBe(true);
  expect(isToldAlone({ ...write, old: object })).toBe(false);
});

test("of its own amounts a node hears nothing, which change with every look", () => {
  const capacity = { cpu: "2", "example.com/dongle": "4" };
  const of = (amounts: Record<string, string>) =>
    routing({ ...node({}), status: { capacity: amounts, allocatable: amounts } } as KubeObject);
  const dongles = { "example.com/dongle": "4" };
  expect(of(capacity)).toMatchObject({ status: { capacity: dongles, allocatable: dongles } });
  expect(of(capacity)).toEqual(of({ ...capacity, cpu: "1" }));
});
