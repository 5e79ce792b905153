import { pairs } from "../apps/workload-columns.ts";
import { nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validatePodTemplate } from "../validation/pod-spec.ts";
import { podWarnings } from "../validation/pod-warnings.ts";
import { defaultPodTemplate } from "./pod-defaults.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-template-v1/ */
export type PodTemplate = Schemas["io.k8s.api.core.v1.PodTemplate"];
export const PodTemplate = defineKind({
  schema: "io.k8s.api.core.v1.PodTemplate",
  default: ({ template }) => defaultPodTemplate(template),
  *warnings({ metadata, template }, old) {
    if (!old || old.metadata?.generation !== metadata?.generation) yield* podWarnings(template, "template.");
  },
  validate: ({ template }) => validatePodTemplate(template, "template"),
  columns: [
    nameColumn,
    {
      name: "Containers",
      type: "string",
      value: ({ template }) => (template?.spec?.containers ?? []).map(({ name }) => name).join(","),
    },
    {
      name: "Images",
      type: "string",
      value: ({ template }) => (template?.spec?.containers ?? []).map(({ image }) => image ?? "").join(","),
    },
    { name: "Pod Labels", type: "string", value: ({ template }) => pairs(template?.metadata?.labels) },
  ],
});
