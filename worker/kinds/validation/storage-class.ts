import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { StorageV1StorageClass } from "../generated/types.ts";
import { same } from "../paths.ts";
import type { Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/storage/storage-classes/ */
const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];

export function* validateStorageClass(storage: StorageV1StorageClass): Problems {
  if (!storage.provisioner) yield required("provisioner");
  const { reclaimPolicy, volumeBindingMode } = storage;
  if (reclaimPolicy && !["Delete", "Retain"].includes(reclaimPolicy))
    yield notSupported("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
  if (!volumeBindingMode) yield required("volumeBindingMode");
  else if (!BINDING_MODES.includes(volumeBindingMode))
    yield notSupported("volumeBindingMode", volumeBindingMode, BINDING_MODES);
}

export function* validateStorageClassUpdate(storage: StorageV1StorageClass, old: StorageV1StorageClass): Problems {
  if (!same(storage.parameters ?? {}, old.parameters ?? {}))
    yield forbiddenField("parameters", "updates to parameters are forbidden.");
  if (storage.provisioner !== old.provisioner)
    yield forbiddenField("provisioner", "updates to provisioner are forbidden.");
  if (storage.reclaimPolicy !== old.reclaimPolicy)
    yield forbiddenField("reclaimPolicy", "updates to reclaimPolicy are forbidden.");
  if (storage.volumeBindingMode !== old.volumeBindingMode)
    yield invalidValue("volumeBindingMode", storage.volumeBindingMode, "field is immutable");
}
