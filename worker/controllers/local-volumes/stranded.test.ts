import { expect, test } from "vitest";
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { storageModel } from "./testing.ts";

/** A StatefulSet with a pod `db-0`, whose volume is on `node-a` and is to go to `node-b`, where its next pod waits for it. */
function waiting() {
  const model = storageModel(scheduler());
  model.create(StatefulSet, {
    metadata: { name: "db", namespace: "default" },
    spec: {
      serviceName: "db",
      replicas: 1,
      selector: { matchLabels: { app: "db" } },
      updateStrategy: { type: "OnDelete" },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: "db:1" }] } },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            storageClassName: "local-path",
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
          },
        },
      ],
    },
  });
  const wish = (node: string | undefined) => {
    const [volume] = model.list(PersistentVolume);
    if (!volume) throw new Error("no volume");
    model.edit(PersistentVolume, volume, ({ metadata = {} }) => {
      const { "skerry.dev/move-to": _, ...rest } = metadata.annotations ?? {};
      metadata.annotations = { ...rest, ...(node && { "skerry.dev/move-to": node }) };
    });
    model.rest();
  };
  const db = () => model.get(Pod, "db-0");
  const end = () => {
    const pod = db();
    if (pod) model.endPod(pod);
    model.rest();
  };
  model.rest();
  expect(db()?.spec.nodeName).toBe("node-a");
  wish("node-b");
  end();
  expect(db()?.spec.nodeName).toBe("node-b");
  return { model, wish, db, end };
}

test("a pod that waits where its volume is not to come after all goes, and the next one is where the volume is", () => {
  const { model, wish, db, end } = waiting();
  const stranded = db();
  wish(undefined);
  expect(db()).toMatchObject({
    metadata: { uid: stranded?.metadata.uid, deletionTimestamp: expect.any(String) },
    status: { conditions: expect.arrayContaining([expect.objectContaining({ type: "DisruptionTarget" })]) },
  });
  const volume = model.list(PersistentVolume)[0]?.metadata?.name;
  expect(model.events.filter(({ reason }) => reason === "VolumeElsewhere")).toEqual([
    expect.objectContaining({ message: `volume "${volume}" is not on node node-b, nor to come there` }),
  ]);
  end();
  expect(db()?.spec.nodeName).toBe("node-a");
  expect(db()?.metadata.deletionTimestamp).toBeUndefined();
});

test("a pod that waits for a volume on its way goes when that is to go elsewhere, so that it can", () => {
  const { model, wish, db, end } = waiting();
  model.addNode("node-c", {}, ({ metadata }) => {
    metadata.annotations = { "skerry.dev/volumes-path": "/c" };
  });
  wish("node-c");
  end();
  expect(db()?.spec.nodeName).toBe("node-c");
  const [volume] = model.list(PersistentVolume);
  const [left = "", folder = ""] = volume?.metadata?.annotations?.["skerry.dev/left-on"]?.split("/") ?? [];
  expect(left).toBe("node-b");
  const node = model.get(Node, left);
  if (node)
    model.edit(Node, node, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, "skerry.dev/volumes-removed": folder };
    });
  model.rest();
  expect(model.list(PersistentVolume)[0]?.metadata?.annotations?.["skerry.dev/moving-to"]).toMatch(/^node-c\//);
});

test("what was lost with the memory of the cluster is seen when everything is looked at anew", () => {
  const { model, wish, db } = waiting();
  const pod = db();
  if (pod) model.setPod(pod, "Running", false);
  wish(undefined);
  expect(db()?.metadata.deletionTimestamp).toBeUndefined(); // who has started has its volumes
  const running = db();
  if (running) model.setPod(running, "Pending", false);
  model.driver.resync();
  model.rest();
  expect(db()?.metadata.deletionTimestamp).toBeDefined();
});

test("a pod stays where nothing would place another elsewhere", () => {
  const { model, wish, db } = waiting();
  const claim = { persistentVolumeClaim: { claimName: "data-db-0" } };
  model.create(Pod, {
    metadata: { name: "alone", namespace: "default" },
    spec: { nodeName: "node-b", containers: [{ name: "c", image: "c:1" }], volumes: [{ name: "data", ...claim }] },
  });
  const [set] = model.list(StatefulSet);
  if (set) model.edit(StatefulSet, set, ({ spec }) => Object.assign(spec?.template.spec ?? {}, { nodeName: "node-b" }));
  wish(undefined);
  for (const pod of [db(), model.get(Pod, "alone")]) expect(pod?.metadata.deletionTimestamp).toBeUndefined();
});
