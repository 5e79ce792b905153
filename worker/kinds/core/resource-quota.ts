import { canonicalizeResources } from "../../lib/quantity.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1ResourceQuota, Schemas } from "../generated/types.ts";
import { validateResourceQuota } from "../validation/resource-quota.ts";

/** https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
export type ResourceQuota = Schemas["io.k8s.api.core.v1.ResourceQuota"];
export const ResourceQuota = defineKind({
  schema: "io.k8s.api.core.v1.ResourceQuota",
  immutable: ["spec.scopes"],
  default({ spec, status }) {
    for (const list of [spec?.hard, status?.hard, status?.used]) canonicalizeResources(list);
  },
  validate: validateResourceQuota,
  columns: [
    nameColumn,
    { name: "Request", type: "string", value: (quota) => uses(quota, (name) => !isLimit(name)) },
    { name: "Limit", type: "string", value: (quota) => uses(quota, isLimit) },
    ageColumn,
  ],
});

const isLimit = (name: string) => name.startsWith("limits.");

/** `cpu: 1/2, pods: 3/10`, by name. */
function uses({ status }: CoreV1ResourceQuota, shown: (name: string) => boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter(shown)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
    .join(", ");
}
