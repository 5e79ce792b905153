import { pathSegmentProblems } from "../../lib/names.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateApiService } from "../validation/api-service.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/api-service-v1/ */
export type APIService = Schemas["io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"];

function available({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (!condition) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}

export const APIService = defineKind({
  schema: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  // The core group's is named `v1.`, which is no domain name.
  nameProblems: pathSegmentProblems,
  validate: validateApiService,
  columns: [
    nameColumn,
    {
      name: "Service",
      type: "string",
      value: ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : "Local"),
    },
    { name: "Available", type: "string", value: available },
    ageColumn,
  ],
});
