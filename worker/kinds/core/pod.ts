import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { ipWarnings } from "../validation/ip.ts";
import { validateNewPod, validatePod } from "../validation/pod-spec.ts";
import { validatePodUpdate } from "../validation/pod-update.ts";
import { nameWarnings, podWarnings } from "../validation/pod-warnings.ts";
import { podColumns } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { beginPod, keepForSubresource, settleAddresses } from "./pod-strategy.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/ */
export type Pod = Schemas["io.k8s.api.core.v1.Pod"];
export const Pod = defineKind({
  schema: "io.k8s.api.core.v1.Pod",
  default(pod) {
    defaultPod(pod);
    if (pod.status) settleAddresses(pod.status);
  },
  prepareForCreate: beginPod,
  prepareForUpdate: keepForSubresource,
  validate: validatePod,
  validateCreate: validateNewPod,
  validateUpdate: validatePodUpdate,
  *warnings(pod, old, subresource) {
    if (!old) {
      yield* nameWarnings(pod.metadata?.name, "the Pod's hostname");
      yield* podWarnings(pod, "");
    }
    if (subresource !== "status") return;
    for (const list of ["podIPs", "hostIPs"] as const)
      for (const [index, { ip = "" }] of (pod.status?.[list] ?? []).entries())
        yield* ipWarnings(ip, `status.${list}[${index}].ip`);
  },
  fieldSelectors: {
    "spec.hostNetwork": ({ spec }) => String(spec?.hostNetwork ?? false),
    "status.podIPs": ({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip).join(","),
  },
  columns: podColumns,
});
