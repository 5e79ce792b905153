import { expect, test } from "vitest";
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { CSIDriver } from "../../kinds/storage/csi-driver.ts";
import { VolumeAttachment } from "../../kinds/storage/volume-attachment.ts";
import { pod } from "../../scheduler/testing.ts";
import { Model } from "../testing.ts";
import { volumeBinder } from "../volumes/binder.ts";
import { attachDetachController } from "./attach-detach.ts";

function cluster({
  attachRequired = true,
  modes = ["ReadWriteOnce"],
}: {
  attachRequired?: boolean;
  modes?: string[];
} = {}) {
  const model = new Model([volumeBinder, attachDetachController]);
  for (const name of ["node-a", "node-b"]) model.addNode(name);
  model.create(CSIDriver, { metadata: { name: "hostpath" }, spec: { attachRequired } });
  model.create(PersistentVolume, {
    metadata: { name: "pv" },
    spec: {
      accessModes: modes,
      capacity: { storage: "1Gi" },
      storageClassName: "csi",
      csi: { driver: "hostpath", volumeHandle: "h1" },
    },
  });
  model.create(PersistentVolumeClaim, {
    metadata: { name: "data", namespace: "default" },
    spec: {
      accessModes: modes,
      storageClassName: "csi",
      volumeName: "pv",
      resources: { requests: { storage: "1Gi" } },
    },
  });
  model.rest();
  const use = (name: string, node: string) => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    model.create(
      Pod,
      pod(name, ({ spec }) => Object.assign(spec, { volumes, nodeName: node })),
    );
    model.rest();
  };
  const attachments = () => model.list(VolumeAttachment);
  const on = () => attachments().map(({ spec }) => spec.nodeName);
  const answer = (status: object) => {
    for (const one of attachments())
      model.edit(VolumeAttachment, one, (found) => Object.assign(found, { status }), "status");
    model.rest();
  };
  const node = (name: string) => model.get(Node, name);
  const nodeSays = (name: string, change: (node: Node) => void) => {
    const found = node(name);
    if (found) model.edit(Node, found, change, "status");
    model.rest();
  };
  const end = (name: string) => {
    const found = model.get(Pod, name);
    if (found) model.endPod(found);
    model.rest();
  };
  const said = (about: string) =>
    model.events.flatMap((event) => (event.about.endsWith(`/${about}`) ? [`${event.reason}: ${event.message}`] : []));
  return { model, use, attachments, on, answer, node, nodeSays, end, said };
}

test("a volume is attached to the node of the pod that has it, and detached when the node is done with it", () => {
  const { use, attachments, on, answer, node, nodeSays, end, said } = cluster();
  use("db", "node-a");
  expect(attachments()).toMatchObject([
    {
      metadata: { name: expect.stringMatching(/^csi-[0-9a-f]{64}$/) },
      spec: { attacher: "hostpath", nodeName: "node-a", source: { persistentVolumeName: "pv" } },
    },
  ]);
  expect(node("node-a")?.status?.volumesAttached).toBeUndefined();
  answer({ attached: true });
  const name = "kubernetes.io/csi/hostpath^h1";
  expect(node("node-a")?.status?.volumesAttached).toEqual([{ name, devicePath: "" }]);
  expect(said("db")).toEqual(['SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" ']);
  nodeSays("node-a", ({ status }) => Object.assign(status ?? {}, { volumesInUse: [name] }));
  end("db");
  expect(on()).toEqual(["node-a"]);
  nodeSays("node-a", ({ status }) => delete status?.volumesInUse);
  expect(on()).toEqual([]);
  expect(node("node-a")?.status?.volumesAttached).toBeUndefined();
});

test("a driver that attaches nothing is asked for nothing", () => {
  const { use, on } = cluster({ attachRequired: false });
  use("db", "node-a");
  expect(on()).toEqual([]);
});

test("a volume for one node is not attached to a second one before it has left the first", () => {
  const { use, on, answer, end, said } = cluster();
  use("one", "node-a");
  answer({ attached: true });
  use("two", "node-b");
  expect(on()).toEqual(["node-a"]);
  expect(said("two")).toEqual([
    'FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) one',
  ]);
  end("one");
  expect(on()).toEqual(["node-b"]);
});

test("of several nodes that wait for a volume for one node, one gets it", () => {
  const { model, use, on, end, said } = cluster();
  model.addNode("node-c");
  use("one", "node-a");
  use("two", "node-b");
  use("three", "node-c");
  end("one");
  expect(on()).toHaveLength(1);
  const [loser, winner] = on()[0] === "node-b" ? ["three", "two"] : ["two", "three"];
  expect(said(loser).at(-1)).toBe(
    `FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) ${winner}`,
  );
});

test("one for many is attached to all of them", () => {
  const { use, on } = cluster({ modes: ["ReadWriteMany"] });
  use("one", "node-a");
  use("two", "node-b");
  expect(on().toSorted()).toEqual(["node-a", "node-b"]);
});

test("what the driver refuses is told of the pod", () => {
  const { use, answer, said } = cluster();
  use("db", "node-a");
  answer({ attached: false, attachError: { time: "2026-01-01T00:00:00Z", message: "no such volume" } });
  expect(said("db")).toEqual(['FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : no such volume']);
});

test("a node that is out of service is not waited for, one that is silent for six minutes", () => {
  const { model, use, on, answer, nodeSays, end } = cluster();
  use("db", "node-a");
  answer({ attached: true });
  nodeSays("node-a", ({ status }) =>
    Object.assign(status ?? {}, {
      volumesInUse: ["kubernetes.io/csi/hostpath^h1"],
      conditions: [{ type: "Ready", status: "Unknown", lastTransitionTime: new Date(model.now).toISOString() }],
    }),
  );
  end("db");
  expect(on()).toEqual(["node-a"]);
  model.advance(359_000);
  expect(on()).toEqual(["node-a"]);
  model.advance(2_000);
  expect(on()).toEqual([]);
});

test("a volume that a silent node is asked for late is given so long from then on, and anew when a pod has had it", () => {
  const { model, use, attachments, on, answer, nodeSays, end } = cluster();
  use("db", "node-a");
  answer({ attached: true });
  nodeSays("node-a", ({ status }) =>
    Object.assign(status ?? {}, {
      volumesInUse: ["kubernetes.io/csi/hostpath^h1"],
      conditions: [{ type: "Ready", status: "Unknown", lastTransitionTime: new Date(model.now).toISOString() }],
    }),
  );
  model.advance(3_600_000);
  end("db");
  model.advance(300_000);
  expect(on()).toEqual(["node-a"]);
  expect(attachments()[0]?.metadata?.annotations).toHaveProperty(["skerry.dev/unused-since"]);
  use("again", "node-a");
  expect(attachments()[0]?.metadata?.annotations ?? {}).toEqual({});
  model.advance(300_000);
  end("again");
  model.advance(358_000);
  expect(on()).toEqual(["node-a"]);
  model.advance(3_000);
  expect(on()).toEqual([]);
});

test("attachments that others have made are left to them", () => {
  const { model, on } = cluster();
  model.create(VolumeAttachment, {
    metadata: { name: "own" },
    spec: { attacher: "hostpath", nodeName: "node-a", source: { persistentVolumeName: "pv" } },
  });
  model.rest();
  expect(on()).toEqual(["node-a"]);
});
