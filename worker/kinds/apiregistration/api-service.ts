import { pathSegmentProblems } from "../../lib/names.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/api-service-v1/ */
export type APIService = Schemas["io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"];
export const APIService = defineKind({
  schema: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  // The core group's is named `v1.`, which is no domain name.
  nameProblems: pathSegmentProblems,
});
