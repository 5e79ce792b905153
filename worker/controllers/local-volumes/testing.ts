import { StorageClass } from "../../kinds/storage/storage-class.ts";
import type { Controller } from "../controller.ts";
import { statefulSetController } from "../statefulset/statefulset.ts";
import { Model } from "../testing.ts";
import { volumeBinder } from "../volumes/binder.ts";
import { claimProtectionController, volumeProtectionController } from "../volumes/protection.ts";
import { localVolumeProvisioner } from "./provisioner.ts";
import { strandedPods } from "./stranded.ts";

/** Two nodes, `node-a` and `node-b`, that make volumes of the class `local-path` where the scheduler wants them. */
export function storageModel(scheduler: Controller, storageClass: Partial<StorageClass> = {}): Model {
  const ofVolumes = [volumeBinder, localVolumeProvisioner, claimProtectionController, volumeProtectionController];
  const model = new Model([scheduler, statefulSetController, ...ofVolumes, strandedPods]);
  for (const name of ["node-a", "node-b"])
    model.addNode(name, {}, ({ metadata }) => {
      metadata.annotations = {
        "skerry.dev/volumes-path": `/var/lib/${name}/volumes`,
        "skerry.dev/volumes-through": "bucket",
      };
    });
  model.create(StorageClass, {
    metadata: { name: "local-path" },
    provisioner: "skerry.dev/local",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
    ...storageClass,
  });
  return model;
}
