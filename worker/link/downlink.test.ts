import { describe, expect, test } from "vitest";
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

const nothing: Objects = {
  get: () => undefined,
  list: () => [],
  podsOnNode: () => [],
  podsIn: () => [],
  volumesWithWork: () => [],
};
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

describe("claims and their volumes", () => {
  const claim = { metadata: { namespace: "default", name: "data", uid: "1" }, spec: { volumeName: "v" } } as KubeObject;
  const claimRef = { namespace: "default", name: "data" };
  const volume = { metadata: { name: "v" }, spec: { claimRef } } as KubeObject;
  const pod = {
    metadata: { namespace: "default", name: "db", uid: "2" },
    spec: {
      nodeName: "a",
      containers: [],
      volumes: [
        { name: "data", persistentVolumeClaim: { claimName: "data" } },
        { name: "scratch", ephemeral: {} },
      ],
    },
  } as KubeObject;
  const stored = new Map([
    ["persistentvolumeclaims/default/data", claim],
    ["persistentvolumes//v", volume],
  ]);
  const objects: Objects = {
    ...nothing,
    get: (resource, namespace, name) => stored.get(`${resource}/${namespace}/${name}`),
  };
  const mentions = (resource: string, namespace: string, name: string) =>
    `${resource}/${namespace}/${name}` === "persistentvolumeclaims/default/data";
  const tell = (resource: string, object: KubeObject | undefined, old?: KubeObject, who = "a") => {
    const { namespace = "", name = "" } = (object ?? old)?.metadata ?? {};
    return changeFor(who, { resource, namespace, name, object, old }, objects, who === "a" ? mentions : () => false);
  };
  const names = (changes: ReturnType<typeof tell>) =>
    changes.map((change) => `${change.object ? "" : "no "}${change.resource}/${change.name}`);

  test("go with the pod that uses them, one that is missing as missing", () => {
    const volumes = ["persistentvolumes/v", "persistentvolumeclaims/data", "no persistentvolumeclaims/db-scratch"];
    expect(names(tell("pods", pod))).toEqual([...volumes, "pods/db"]);
    expect(names(snapshotFor("a", { ...objects, podsOnNode: () => [pod] }))).toEqual([...volumes, "pods/db"]);
  });

  test("are told to the nodes whose pods use them when they change", () => {
    expect(names(tell("persistentvolumeclaims", claim))).toEqual([
      "persistentvolumes/v",
      "persistentvolumeclaims/data",
    ]);
    expect(names(tell("persistentvolumes", volume))).toEqual(["persistentvolumes/v"]);
    expect(names(tell("persistentvolumes", undefined, volume))).toEqual(["no persistentvolumes/v"]);
    expect(tell("persistentvolumes", volume, undefined, "b")).toEqual([]);
    expect(tell("persistentvolumeclaims", claim, undefined, "b")).toEqual([]);
  });

  test("a released volume of a node's own disk is told to that node until it is gone", () => {
    const annotations = { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", "skerry.dev/node": "b" };
    const spec = { claimRef, persistentVolumeReclaimPolicy: "Delete" };
    const of = (phase: string) => ({ metadata: { name: "v", annotations }, spec, status: { phase } }) as KubeObject;
    expect(tell("persistentvolumes", of("Bound"), undefined, "b")).toEqual([]);
    expect(names(tell("persistentvolumes", of("Released"), of("Bound"), "b"))).toEqual(["persistentvolumes/v"]);
    expect(names(tell("persistentvolumes", undefined, of("Released"), "b"))).toEqual(["no persistentvolumes/v"]);
    expect(names(snapshotFor("b", { ...nothing, volumesWithWork: () => [of("Released")] }))).toHaveLength(1);
  });
});
