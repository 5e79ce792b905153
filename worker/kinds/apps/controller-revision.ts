import type { OwnerReference } from "../../lib/object.ts";
import { invalidValue, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/ */
export type ControllerRevision = Schemas["io.k8s.api.apps.v1.ControllerRevision"];
export const ControllerRevision = defineKind({
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  immutable: ["data"],
  *validate({ revision }) {
    if ((revision ?? 0) < 0) yield invalidValue("revision", revision, "must be greater than or equal to 0");
  },
  *validateCreate({ data }) {
    if (data === undefined || data === null) yield required("data", "data is mandatory");
    else if (typeof data !== "object" || Array.isArray(data))
      yield required("data", "data must be a valid JSON object");
  },
  columns: [
    nameColumn,
    { name: "Controller", type: "string", value: ({ metadata }) => controller(metadata?.ownerReferences) },
    { name: "Revision", type: "string", value: ({ revision }) => revision ?? 0 },
    ageColumn,
  ],
});

/** `statefulset.apps/web`, or `<none>`. */
function controller(owners: readonly OwnerReference[] = []): string {
  const owner = owners.find((candidate) => candidate.controller);
  if (!owner) return "<none>";
  const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : "";
  const type = `${owner.kind}${group}`.toLowerCase();
  return `${type}/${owner.name}`;
}
