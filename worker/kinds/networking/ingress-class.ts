import { invalidValue } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { NetworkingV1IngressClass, Schemas } from "../generated/types.ts";
import { validateIngressClass } from "../validation/classes.ts";

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class */
export type IngressClass = Schemas["io.k8s.api.networking.v1.IngressClass"];
export const IngressClass = defineKind({
  schema: "io.k8s.api.networking.v1.IngressClass",
  changesFirst: true,
  *validateUpdate({ spec }, old) {
    const controller = spec?.controller ?? "";
    if (controller !== (old.spec?.controller ?? ""))
      yield invalidValue("spec.controller", controller, "field is immutable");
  },
  defaults: { "spec.parameters.scope": "Cluster" },
  validate: validateIngressClass,
  columns: [
    nameColumn,
    { name: "Controller", type: "string", value: ({ spec }) => spec?.controller ?? "" },
    { name: "Parameters", type: "string", value: parameters },
    ageColumn,
  ],
});

function parameters({ spec }: NetworkingV1IngressClass): string {
  if (!spec?.parameters) return "<none>";
  const { apiGroup, kind, name } = spec.parameters;
  return `${apiGroup ? `${kind}.${apiGroup}` : kind}/${name}`;
}
