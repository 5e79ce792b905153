import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateDisruptionBudget } from "../validation/disruption-budget.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ */
export type PodDisruptionBudget = Schemas["io.k8s.api.policy.v1.PodDisruptionBudget"];
export const PodDisruptionBudget = defineKind({
  schema: "io.k8s.api.policy.v1.PodDisruptionBudget",
  validate: validateDisruptionBudget,
  columns: [
    nameColumn,
    { name: "Min Available", type: "string", value: ({ spec }) => String(spec?.minAvailable ?? "N/A") },
    { name: "Max Unavailable", type: "string", value: ({ spec }) => String(spec?.maxUnavailable ?? "N/A") },
    { name: "Allowed Disruptions", type: "integer", value: ({ status }) => status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});
