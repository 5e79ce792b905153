import { nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

const health = ({ conditions = [] }: ComponentStatus) => conditions.find(({ type }) => type === "Healthy");
const WORDS: Readonly<Record<string, string>> = { True: "Healthy", False: "Unhealthy" };

/** Read only: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/ */
export type ComponentStatus = Schemas["io.k8s.api.core.v1.ComponentStatus"];
export const ComponentStatus = defineKind({
  schema: "io.k8s.api.core.v1.ComponentStatus",
  deprecation: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    nameColumn,
    { name: "Status", type: "string", value: (status) => WORDS[health(status)?.status ?? ""] ?? "Unknown" },
    { name: "Message", type: "string", value: (status) => health(status)?.message ?? "" },
    { name: "Error", type: "string", value: (status) => health(status)?.error ?? "" },
  ],
});
