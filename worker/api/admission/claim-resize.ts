import type { CoreV1PersistentVolumeClaim, StorageV1StorageClass } from "../../kinds/generated/types.ts";
import { CLASS_ANNOTATION } from "../../kinds/validation/claims.ts";
import { compareQuantities, parseResources, ZERO } from "../../lib/quantity.ts";
import { type Admission, kindNamed, refusal } from "./admission.ts";

const classOf = ({ metadata, spec }: CoreV1PersistentVolumeClaim): string =>
  metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";

const sizeOf = ({ spec }: CoreV1PersistentVolumeClaim) =>
  parseResources(spec?.resources?.requests as Record<string, string> | undefined).storage ?? ZERO;

/**
 * A claim may only grow once it is bound, and where its class lets it.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export const claimResize: Admission = {
  name: "PersistentVolumeClaimResize",
  admits(operation) {
    const { kind, subresource, object, old, core } = operation;
    if (kind.groupResource !== "persistentvolumeclaims" || subresource || !old || operation.action !== "UPDATE") return;
    const now = object as CoreV1PersistentVolumeClaim;
    const before = old as CoreV1PersistentVolumeClaim;
    if (compareQuantities(sizeOf(now), sizeOf(before)) <= 0) return;
    if (before.status?.phase !== "Bound")
      throw refusal(operation, "Only bound persistent volume claims can be expanded");
    const name = classOf(now);
    const classes = kindNamed<StorageV1StorageClass>(operation, "storage.k8s.io", "storageclasses");
    const allows = name !== "" && name === classOf(before) && core.view.get(classes, "", name)?.allowVolumeExpansion;
    if (!allows)
      throw refusal(
        operation,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
  },
};
