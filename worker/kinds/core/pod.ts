import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateNewPod, validatePod } from "../validation/pod-spec.ts";
import { validatePodUpdate } from "../validation/pod-update.ts";
import { nameWarnings, podSpecWarnings } from "../validation/pod-warnings.ts";
import { podColumns } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { beginPod, keepForSubresource } from "./pod-strategy.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/ */
export type Pod = Schemas["io.k8s.api.core.v1.Pod"];
export const Pod = defineKind({
  schema: "io.k8s.api.core.v1.Pod",
  default: defaultPod,
  prepareForCreate: beginPod,
  prepareForUpdate: keepForSubresource,
  validate: validatePod,
  validateCreate: validateNewPod,
  validateUpdate: validatePodUpdate,
  *warnings(pod, old) {
    if (!old) yield* nameWarnings(pod.metadata?.name, "the Pod's hostname");
    yield* podSpecWarnings(pod.spec, "spec");
  },
  fieldSelectors: {
    "spec.hostNetwork": ({ spec }) => String(spec?.hostNetwork ?? false),
    "status.podIPs": ({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip).join(","),
  },
  columns: podColumns,
});
