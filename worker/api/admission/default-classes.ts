import { defaultClass } from "../../kinds/default-class.ts";
import type { CoreV1PersistentVolumeClaim, NetworkingV1Ingress } from "../../kinds/generated/types.ts";
import { DEFAULT_CLASS, type StorageClass } from "../../kinds/storage/storage-class.ts";
import type { KubeObject } from "../../lib/object.ts";
import { type Admission, creates, kindNamed } from "./admission.ts";

const INGRESS_DEFAULT = "ingressclass.kubernetes.io/is-default-class";

/** Claims that name no class get the cluster's; `""` names none on purpose. */
export const defaultStorageClass: Admission = {
  name: "DefaultStorageClass",
  admits(operation) {
    if (!creates(operation, "persistentvolumeclaims")) return;
    const { metadata, spec } = operation.object as CoreV1PersistentVolumeClaim;
    if (!spec || spec.storageClassName !== undefined) return;
    if (metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] !== undefined) return;
    const kind = kindNamed<StorageClass>(operation, "storage.k8s.io", "storageclasses");
    const name = defaultClass(operation.core.view.list(kind), DEFAULT_CLASS)?.metadata?.name;
    if (name) spec.storageClassName = name;
  },
};

/** So do Ingresses, unless they name theirs in the way that came before classes. */
export const defaultIngressClass: Admission = {
  name: "DefaultIngressClass",
  admits(operation) {
    if (!creates(operation, "ingresses.networking.k8s.io")) return;
    const { metadata, spec } = operation.object as NetworkingV1Ingress;
    if (!spec || spec.ingressClassName !== undefined || metadata?.annotations?.["kubernetes.io/ingress.class"]) return;
    const kind = kindNamed<KubeObject>(operation, "networking.k8s.io", "ingressclasses");
    const name = defaultClass(operation.core.view.list(kind), INGRESS_DEFAULT)?.metadata?.name;
    if (name) spec.ingressClassName = name;
  },
};
