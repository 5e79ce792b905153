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
function cluster(reclaimPolicy = "Delete") {
  const model = storageModel(scheduler(), { reclaimPolicy });
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
  const readiness = (node: string, status: string) => {
    const found = model.get(Node, node);
    if (!found) throw new Error(`no ${node}`);
    const change = (node: Node) => Object.assign(node.status?.conditions?.[0] ?? {}, { status });
    model.edit(Node, found, change, "status");
    model.rest();
  };
  const lose = (node: string) => {
    const found = model.get(Node, node);
    if (found) model.delete(Node, found);
    model.rest();
  };
  const end = (name: string) => {
    const found = model.get(Pod, name);
    if (found) model.endPod(found);
    model.rest();
  };
  const folder = () => annotation("moving-to")?.split("/")[1] ?? "";
  /** All data is in the bucket, on its way from node-a to node-b. */
  const inBucket = () => {
    end("db");
    wish("node-b", "bucket");
    const sent = folder();
    tells("node-a", "received", sent);
    tells("node-a", "received", "");
    return sent;
  };
  const removeClaim = () => {
    const found = claim();
    if (found) model.delete(PersistentVolumeClaim, found);
    model.rest();
  };
  const removeVolume = () => {
    model.delete(PersistentVolume, volume());
    model.rest();
  };
  const edited = (node: string, changes: Annotations) => {
    const found = model.get(Node, node);
    if (!found) throw new Error(`no ${node}`);
    model.edit(Node, found, (object) => annotate(object, changes));
    model.rest();
  };
  const last = () => model.events.at(-1)?.message;
  const more = { readiness, lose, inBucket, removeClaim, removeVolume, edited, last };
  return { model, using, claim, volume, annotation, wish, tells, end, folder, ...more };
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

test("the copy in the bucket of who is gone for good is removed by the node that has the volume, or by any other", () => {
  const { annotation, tells, inBucket, lose, volume } = cluster();
  const sent = inBucket();
  tells("node-b", "received", sent);
  lose("node-a");
  const [heir, folder = ""] = annotation("left-on")?.split("/") ?? [];
  expect(heir).toBe("node-b");
  expect(volume().spec?.local?.path).not.toContain(folder);
  expect(annotation("transfer")).toBeDefined();
  tells("node-b", "removed", folder);
  for (const name of ["left-on", "transfer", "transferred"]) expect(annotation(name)).toBeUndefined();

  const other = cluster();
  const copied = other.inBucket();
  other.lose("node-a");
  other.tells("node-b", "received", copied);
  expect(other.annotation("left-on")).toMatch(/^node-b/);
  other.lose("node-b"); // then nobody is there who could
  expect(other.annotation("left-on")).toBeUndefined();
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
  const { model, annotation, wish, tells, end, folder, volume, readiness } = cluster();
  const { name } = volume().metadata;
  const ready = (status: string) => readiness("node-a", status);
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

const HELD = { transfer: /./, transferred: /^true$/, "moving-to": /^node-b\// };

test.each<[string, (given: ReturnType<typeof cluster>) => void, policy?: string]>([
  ["a cancel", ({ wish }) => wish(undefined)],
  ["a wish for a node that is not there", ({ wish }) => wish("node-c", "bucket")],
  ["another way", ({ wish }) => wish("node-b")],
  ["the end of its claim", ({ removeClaim }) => removeClaim(), "Retain"],
  ["the loss of the new node", ({ lose }) => lose("node-b")],
  ["a new node that makes no volumes", ({ edited }) => edited("node-b", { "skerry.dev/volumes-path": undefined })],
  ["the deletion of the volume", ({ removeVolume }) => removeVolume()],
])("a copy in the bucket that is all there is outlives %s", (_what, happens, policy) => {
  const given = cluster(policy);
  given.inBucket();
  const { name = "" } = given.volume().metadata;
  given.lose("node-a");
  happens(given);
  const annotations = given.model.get(PersistentVolume, name)?.metadata.annotations;
  for (const [what, value] of Object.entries(HELD)) expect(annotations?.[`skerry.dev/${what}`]).toMatch(value);
  expect(annotations?.["skerry.dev/left-on"]).toBeUndefined();
});

test("a volume whose old node is lost goes from the bucket to whichever node is wished, one after the other", () => {
  const { model, inBucket, lose, annotation, wish, tells, folder, last, volume } = cluster();
  const sent = inBucket();
  lose("node-a");
  wish(undefined);
  expect(last()).toBe('node "node-a" not found; the copy in the bucket is kept');
  model.addNode("node-c", {}, ({ metadata }) => {
    metadata.annotations = { "skerry.dev/volumes-path": "/c", "skerry.dev/volumes-through": "bucket" };
  });
  wish("node-c");
  expect(annotation("left-on")).toBe(`node-b/${sent}`);
  expect(annotation("moving-to")).toMatch(/^node-c\//);
  const next = folder();
  expect(next).not.toBe(sent);
  tells("node-b", "removed", sent);
  expect(annotation("left-on")).toBeUndefined();
  expect(annotation("transferred")).toBe("true");
  tells("node-c", "received", next);
  expect(volume().spec?.local?.path).toBe(`/c/${next}`);
  const [heir, rest = ""] = annotation("left-on")?.split("/") ?? [];
  expect(heir).toBe("node-c"); // it has the volume
  tells("node-c", "removed", rest);
  for (const name of ["moving-to", "left-on", "transfer", "transferred"]) expect(annotation(name)).toBeUndefined();
});

test.each([true, false])(
  "a volume comes back from the bucket when its move is called off (the new node is up: %s)",
  (isUp) => {
    const { inBucket, annotation, wish, tells, volume, readiness } = cluster();
    const { name, uid } = volume().metadata;
    const sent = inBucket();
    if (!isUp) readiness("node-b", "Unknown");
    wish(undefined);
    const old = `${name}_default_data`;
    expect(annotation("left-on")).toBe(`node-b/${sent}`);
    expect(annotation("moving-to")).toBe(`node-a/${old}`);
    if (isUp) tells("node-b", "removed", sent);
    // Until node-a says that it has it still, the copy may be all there is.
    expect(annotation("moving-to")).toBe(`node-a/${old}`);
    expect(annotation("transferred")).toBe("true");
    tells("node-a", "received", old);
    expect(annotation("moving-to")).toBeUndefined();
    expect(annotation("transfer")).toBeDefined(); // somebody is to remove it
    const [node = "", left = ""] = annotation("left-on")?.split("/") ?? [];
    expect(node).toBe(isUp ? "node-a" : "node-b");
    expect(left).not.toBe(old);
    tells(node, "removed", left);
    // Node-b may have begun to remove what is there while the copy was needed, and have left that alone.
    const [last = "", rest = ""] = annotation("left-on")?.split("/") ?? [];
    expect(last).toBe(isUp ? "" : "node-a");
    if (!isUp) tells(last, "removed", rest);
    for (const name of ["moving-to", "left-on", "transfer", "transferred"]) expect(annotation(name)).toBeUndefined();
    expect(volume()).toMatchObject({ metadata: { uid }, spec: { local: { path: `/var/lib/node-a/volumes/${old}` } } });
  },
);

test("a volume that was to come back goes to another node after all, or goes with its claim", () => {
  const { inBucket, annotation, wish, tells, folder, volume, removeClaim, model } = cluster();
  const sent = inBucket();
  const { name = "" } = volume().metadata;
  wish(undefined);
  tells("node-b", "removed", sent);
  wish("node-b", "bucket");
  expect(annotation("left-on")).toBeUndefined(); // nothing of node-a is removed
  expect(annotation("moving-to")).toMatch(/^node-b\//);
  const second = folder();
  wish(undefined);
  tells("node-b", "removed", second);
  expect(annotation("moving-to")).toBe(`node-a/${name}_default_data`);
  removeClaim();
  const { annotations } = model.get(PersistentVolume, name)?.metadata ?? {};
  expect(annotations?.["skerry.dev/moving-to"]).toBeUndefined();
  expect(annotations?.["skerry.dev/left-on"]).toBe(`node-a/${sent}`);
  tells("node-a", "removed", `${sent},${name}`);
  expect(model.get(PersistentVolume, name)).toBeUndefined();
});

test("a volume that is kept without its claim arrives from the bucket, and one that is not goes with its copy", () => {
  const kept = cluster("Retain");
  const sent = kept.inBucket();
  kept.lose("node-a");
  const { name = "" } = kept.volume().metadata;
  kept.removeClaim();
  kept.tells("node-b", "received", sent);
  expect(kept.model.get(PersistentVolume, name)).toMatchObject({
    metadata: { annotations: { "skerry.dev/node": "node-b" } },
    status: { phase: "Released" },
  });
  const gone = cluster();
  const copied = gone.inBucket();
  const volume = gone.volume().metadata.name ?? "";
  gone.removeClaim();
  const left = () => gone.model.get(PersistentVolume, volume)?.metadata.annotations;
  expect(left()?.["skerry.dev/left-on"]).toBe(`node-b/${copied}`);
  expect(left()?.["skerry.dev/moving-to"]).toBeUndefined();
});

test.each(["not ready", "lost"])("what was copied straight is kept while the old node is %s", (how) => {
  const { end, wish, folder, readiness, lose, annotation, last, tells } = cluster();
  end("db");
  wish("node-b");
  const copied = folder();
  if (how === "lost") lose("node-a");
  else readiness("node-a", "Unknown");
  wish(undefined);
  expect(annotation("moving-to")).toBe(`node-b/${copied}`);
  expect(last()).toContain('node "node-a" is not ready: the move is called off');
  if (how === "lost") {
    // The other had all of it and had not said so yet.
    wish("node-b");
    tells("node-b", "received", copied);
    expect(annotation("node")).toBe("node-b");
  } else {
    readiness("node-a", "True");
    expect(annotation("left-on")).toBe(`node-b/${copied}`);
  }
});

test.each(["node-a", "node-b"])("nothing goes through the bucket where the agent of %s is an older one", (old) => {
  const { end, wish, edited, annotation, last } = cluster();
  end("db");
  edited(old, { "skerry.dev/volumes-through": undefined });
  wish("node-b", "bucket");
  expect(annotation("moving-to")).toBeUndefined();
  expect(last()).toBe(`the agent of node "${old}" knows of no way through the bucket: it is of an older release`);
  edited(old, { "skerry.dev/volumes-through": "bucket" });
  expect(annotation("moving-to")).toMatch(/^node-b\//);
});
