import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { NetworkingV1IPAddress, Schemas } from "../generated/types.ts";
import { strictIpProblems } from "../validation/ip.ts";
import { validateIpAddress, validateIpAddressUpdate } from "../validation/service-range.ts";

/** https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/ */
export type IPAddress = Schemas["io.k8s.api.networking.v1.IPAddress"];
export const IPAddress = defineKind({
  schema: "io.k8s.api.networking.v1.IPAddress",
  nameProblems: strictIpProblems,
  validate: validateIpAddress,
  validateUpdate: validateIpAddressUpdate,
  columns: [nameColumn, { name: "ParentRef", type: "string", value: parent }, ageColumn],
});

function parent({ spec }: NetworkingV1IPAddress): string {
  if (!spec?.parentRef) return "<none>";
  const { group, resource, namespace, name } = spec.parentRef;
  const groupResource = (group ? `${resource}.${group}` : (resource ?? "")).toLowerCase();
  return [groupResource, ...(namespace ? [namespace] : []), name].join("/");
}
