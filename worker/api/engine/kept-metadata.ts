import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject, ObjectMeta } from "../../lib/object.ts";
import { isBuiltIn } from "./stored.ts";

const MOST = ["labels", "annotations", "finalizers", "ownerReferences"] as const;

/** What a write to a status may not change of metadata, by resource; most let it change everything. */
const KEPT: Readonly<Record<string, readonly (typeof MOST)[number][]>> = {
  "apiservices.apiregistration.k8s.io": MOST,
  "deployments.apps": ["labels"],
  "flowschemas.flowcontrol.apiserver.k8s.io": MOST,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": MOST,
  "resourceclaims.resource.k8s.io": MOST,
  "servicecidrs.networking.k8s.io": MOST,
  "validatingadmissionpolicies.admissionregistration.k8s.io": MOST,
  "volumeattachments.storage.k8s.io": MOST,
};

/** Takes from `old` what of metadata a write through `/status` leaves as it is, in place. */
export function keepMetadata(kind: Kind, metadata: ObjectMeta, { metadata: before = {} }: KubeObject): void {
  const kept = isBuiltIn(kind) ? (KEPT[kind.groupResource] ?? []) : MOST;
  for (const name of kept)
    if (before[name] === undefined) delete metadata[name];
    else Object.assign(metadata, { [name]: before[name] });
}
