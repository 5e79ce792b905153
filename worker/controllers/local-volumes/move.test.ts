import { expect, test } from "vitest";
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { nodesWithWork, receiverOf, senderOf } from "../../lib/local-volumes.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { nodeOf, pod } from "../../scheduler/testing.ts";
import { storageModel } from "./testing.ts";

type Annotations = Record<string, string | undefined>;

/** A pod of node-a with a claim `data`, which is bound. */
function cluster() {
  const model = storageModel(scheduler());
  model.create(PersistentVolumeClaim, {
    metadata: { name: "data", namespace: "default", finalizers: ["kubernetes.io/pvc-protection"] },
    spec: {
      storageClassName: "local-path",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
  const using = (name: string, node?: string) => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    const nodeSelector = node && { nodeSelector: { "kubernetes.io/hostname": node } };
    model.create(
      Pod,
      pod(name, ({ spec }) => Object.assign(spec, { volumes }, nodeSelector)),
    );
    model.rest();
  };
  using("db", "node-a");
  const claim = () => model.get(PersistentVolumeClaim, "data");
  const volume = () => {
    const found = model.get(PersistentVolume, claim()?.spec?.volumeName ?? "");
    if (!found) throw new Error("the volume is gone");
    return found;
  };
  const annotation = (name: string) => volume().metadata.annotations?.[`skerry.dev/${name}`];
  const annotate = (object: { metadata: { annotations?: Annotations } }, changes: Annotations) => {
    const all = Object.entries({ ...object.metadata.annotations, ...changes });
    object.metadata.annotations = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  };
  const wish = (node: string | undefined, through?: string) => {
    const words = { "skerry.dev/move-to": node, "skerry.dev/move-through": through };
    model.edit(PersistentVolume, volume(), (object) => annotate(object, words));
    model.rest();
  };
  const tells = (node: string, what: "received" | "removed", folder: string) => {
    const found = model.get(Node, node);
    if (!found) throw new Error(`no ${node}`);
    model.edit(Node, found, (object) => annotate(object, { [`skerry.dev/volumes-${what}`]: folder }));
    model.rest();
  };
  const end = (name: string) => {
    const found = model.get(Pod, name);
    if (found) model.endPod(found);
    model.rest();
  };
  const folder = () => annotation("moving-to")?.split("/")[1] ?? "";
  return { model, using, claim, volume, annotation, wish, tells, end, folder };
}

test("a volume moves when its pods have ended, and is never without its data or its claim", () => {
  const { model, using, claim, volume, annotation, wish, tells, end, folder } = cluster();
  const before = volume();
  const old = `${before.metadata.name}_default_data`;
  wish("node-b");
  expect(annotation("moving-to")).toBeUndefined();
  expect(model.events.at(-1)).toMatchObject({
    reason: "WaitForPodsToEnd",
    message: "the volume is moved when these end: db",
  });
  // Who comes now waits where the volume will be.
  using("next");
  expect(nodeOf(model, "next")).toBe("node-b");
  end("db");
  expect(annotation("moving-to")).toMatch(new RegExp(`^node-b/${old}\\.[0-9a-z]{6}$`));
  tells("node-b", "received", "another");
  expect(volume().metadata.uid).toBe(before.metadata.uid);

  const arrived = folder();
  tells("node-b", "received", arrived);
  const after = volume();
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
  expect(after).toMatchObject({
    metadata: {
      name: before.metadata.name,
      annotations: { "skerry.dev/node": "node-b", "skerry.dev/left-on": `node-a/${old}` },
      finalizers: expect.arrayContaining(before.metadata.finalizers ?? []),
    },
    spec: {
      local: { path: `/var/lib/node-b/volumes/${arrived}` },
      claimRef: { uid: claim()?.metadata?.uid },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", values: ["node-b"] }] }],
        },
      },
      capacity: { storage: "1Gi" },
    },
    status: { phase: "Bound" },
  });
  expect(annotation("move-to")).toBeUndefined();
  expect(annotation("moving-to")).toBeUndefined();
  expect(claim()?.status?.phase).toBe("Bound");
  expect(model.events.filter(({ reason }) => reason === "ClaimLost")).toEqual([]);
  tells("node-a", "removed", old);
  expect(annotation("left-on")).toBeUndefined();
  expect(volume().metadata.uid).toBe(after.metadata.uid);
});

test("a move that is called off leaves the volume where it was, and nothing on the other node", () => {
  const { annotation, wish, tells, end, folder, volume } = cluster();
  end("db");
  wish("node-b");
  const first = folder();
  wish(undefined);
  expect(annotation("moving-to")).toBeUndefined();
  expect(annotation("left-on")).toBe(`node-b/${first}`);
  // What had come by then is not taken for the data of the next move.
  wish("node-b");
  tells("node-b", "received", first);
  expect(annotation("moving-to")).toBeUndefined();
  tells("node-b", "removed", first);
  expect(folder()).not.toBe("");
  expect(folder()).not.toBe(first);
  expect(annotation("node")).toBe("node-a");
  expect(volume().spec?.local?.path).toBe(`/var/lib/node-a/volumes/${volume().metadata.name}_default_data`);
});

test("a move through the bucket waits for who sends, then for who reads, and forgets the copy with what is left", () => {
  const { annotation, wish, tells, end, folder, volume } = cluster();
  end("db");
  wish("node-b", "bucket");
  const to = folder();
  expect(annotation("transfer")).toBe(to.split(".").at(-1));
  expect(senderOf(volume())).toBe("node-a");
  expect(receiverOf(volume())).toBeUndefined();
  expect(nodesWithWork(volume())).toEqual(["node-a", "node-b"]);
  // What the new node has of its own accord is not what was sent.
  tells("node-b", "received", to);
  expect(annotation("transferred")).toBeUndefined();
  tells("node-b", "received", "");
  tells("node-a", "received", to);
  expect(annotation("transferred")).toBe("true");
  expect(annotation("node")).toBe("node-a");
  expect(senderOf(volume())).toBeUndefined();
  expect(receiverOf(volume())).toEqual({ node: "node-b", folder: to });
  tells("node-b", "received", to);
  expect(annotation("node")).toBe("node-b");
  expect(annotation("move-through")).toBeUndefined();
  expect(annotation("transfer")).toBeDefined(); // node-a is to remove it
  tells("node-a", "removed", `${volume().metadata.name}_default_data`);
  for (const name of ["left-on", "transfer", "transferred"]) expect(annotation(name)).toBeUndefined();
});

test("a move that is under way begins anew where it is to go another way, and only by a way that there is", () => {
  const { model, annotation, wish, tells, end, folder } = cluster();
  end("db");
  wish("node-b", "smoke");
  expect(annotation("moving-to")).toBeUndefined();
  expect(model.events.at(-1)).toMatchObject({
    reason: "VolumeMoveFailed",
    message: 'skerry.dev/move-through is "smoke": it may be "bucket", or not be there',
  });
  wish("node-b");
  const straight = folder();
  expect(annotation("transfer")).toBeUndefined();
  wish("node-b", "bucket");
  expect(annotation("left-on")).toBe(`node-b/${straight}`);
  tells("node-b", "removed", straight);
  const sent = folder();
  tells("node-a", "received", sent);
  wish(undefined);
  // Whoever removes what is left knows of the copy.
  expect(annotation("transfer")).toBe(sent.split(".").at(-1));
  tells("node-b", "removed", sent);
  for (const name of ["left-on", "transfer", "transferred"]) expect(annotation(name)).toBeUndefined();
  expect(annotation("node")).toBe("node-a");
});

test("a move to where the volume is, or to a node that is not there, changes nothing", () => {
  const { model, annotation, wish, end } = cluster();
  end("db");
  wish("node-a");
  expect(annotation("move-to")).toBeUndefined();
  wish("node-c");
  expect(annotation("moving-to")).toBeUndefined();
  expect(model.events.at(-1)).toMatchObject({ reason: "VolumeMoveFailed", message: 'node "node-c" not found' });
});

test("a volume whose claim goes while it moves is removed from both nodes", () => {
  const { model, annotation, wish, tells, end, folder, claim, volume } = cluster();
  end("db");
  wish("node-b");
  const made = folder();
  const { name = "" } = volume().metadata;
  const gone = claim();
  if (gone) model.delete(PersistentVolumeClaim, gone);
  model.rest();
  const left = () => model.get(PersistentVolume, name)?.metadata.annotations?.["skerry.dev/left-on"];
  expect(left()).toBe(`node-b/${made}`);
  tells("node-a", "removed", name);
  expect(model.get(PersistentVolume, name)).toBeDefined();
  tells("node-b", "removed", made);
  expect(model.get(PersistentVolume, name)).toBeUndefined();
  expect(() => annotation("node")).toThrow("gone");
});

test("what is left on a node that is away is told of, and removed when it is back", () => {
  const { model, annotation, wish, tells, end, folder, volume } = cluster();
  const { name } = volume().metadata;
  const ready = (status: string) => {
    const found = model.get(Node, "node-a");
    if (!found) throw new Error("no node-a");
    const change = (node: Node) => Object.assign(node.status?.conditions?.[0] ?? {}, { status });
    model.edit(Node, found, change, "status");
    model.rest();
  };
  const told = () => model.events.filter(({ reason }) => reason === "VolumeFailedDelete");
  end("db");
  wish("node-b");
  tells("node-b", "received", folder());
  expect(annotation("left-on")).toBe(`node-a/${name}_default_data`);
  expect(told()).toEqual([]);
  ready("Unknown");
  const what = `folder ${name}_default_data, which the volume has left there, is removed when it is back`;
  expect(told().at(-1)).toMatchObject({
    type: "Warning",
    message: `node "node-a" is not ready: ${what}; until then the volume is neither moved nor deleted`,
  });
  wish("node-a");
  expect(annotation("moving-to")).toBeUndefined();
  ready("True");
  const count = told().length;
  tells("node-a", "removed", `${name}_default_data`);
  expect(annotation("left-on")).toBeUndefined();
  expect(annotation("moving-to")).toMatch(/^node-a\//);
  expect(told()).toHaveLength(count);
});
