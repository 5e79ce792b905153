import { expect, test } from "vitest";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Model } from "../testing.ts";
import { ephemeralVolumeController } from "./ephemeral.ts";

function podWithVolume(model: Model): Pod {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const ephemeral = { volumeClaimTemplate: { metadata: { labels: { kind: "scratch" } }, spec } };
  return model.create(Pod, {
    metadata: { name: "web", namespace: "default" },
    spec: { containers: [], volumes: [{ name: "scratch", ephemeral }] },
  });
}

test("a volume of a pod's own has a claim that goes with the pod", () => {
  const model = new Model([ephemeralVolumeController]);
  podWithVolume(model);
  model.rest();
  expect(model.get(PersistentVolumeClaim, "web-scratch")).toMatchObject({
    metadata: {
      labels: { kind: "scratch" },
      ownerReferences: [{ kind: "Pod", name: "web", uid: model.get(Pod, "web")?.metadata.uid, controller: true }],
    },
    spec: { accessModes: ["ReadWriteOnce"] },
  });
});

test("a claim of that name that is someone else's is left alone, until it is gone", () => {
  const model = new Model([ephemeralVolumeController]);
  model.create(PersistentVolumeClaim, {
    metadata: { name: "web-scratch", namespace: "default" },
    spec: { accessModes: ["ReadWriteMany"] },
  });
  podWithVolume(model);
  model.rest();
  const claim = () => model.get(PersistentVolumeClaim, "web-scratch");
  expect(claim()?.spec?.accessModes).toEqual(["ReadWriteMany"]);
  expect(model.events.map(({ reason }) => reason)).toEqual(["ClaimNotOwned"]);
  model.delete(PersistentVolumeClaim, claim() ?? {});
  model.rest();
  expect(claim()?.spec?.accessModes).toEqual(["ReadWriteOnce"]);
});
