import { metaOf } from "../engine/metadata.ts";
import { type Admission, creates } from "./admission.ts";

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
  "volumeattributesclasses.storage.k8s.io": "kubernetes.io/vac-protection",
};

/** Volumes in use outlive their deletion: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection */
export const storageProtection: Admission = {
  name: "StorageObjectInUseProtection",
  admits(operation) {
    const finalizer = FINALIZERS[operation.kind.groupResource];
    if (finalizer === undefined || !creates(operation, operation.kind.groupResource)) return;
    const metadata = metaOf(operation.object);
    if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
