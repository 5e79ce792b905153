import { keepLogsProblems } from "../../lib/kept-logs.ts";
import { dnsLabelProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { invalidValue } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { invalidFor } from "../validation/fields.ts";

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ */
export type Namespace = Schemas["io.k8s.api.core.v1.Namespace"];

/** Held by the namespace controller until nothing is left inside. */
const NAMESPACE_FINALIZER = "kubernetes";
const NAME_LABEL = "kubernetes.io/metadata.name";

const NOT_STANDARD = "name is neither a standard finalizer name nor is it fully qualified";

export const Namespace = defineKind({
  schema: "io.k8s.api.core.v1.Namespace",
  nameProblems: dnsLabelProblems,
  default(namespace) {
    const { metadata } = namespace;
    namespace.spec ??= {};
    namespace.status ??= {};
    namespace.status.phase ||= "Active";
    if (metadata?.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
  },
  prepareForCreate(namespace) {
    namespace.status = { phase: "Active" };
    // A name that was generated is only known now.
    const { metadata } = namespace;
    if (metadata?.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = {
      finalizers: finalizers.includes(NAMESPACE_FINALIZER) ? finalizers : [...finalizers, NAMESPACE_FINALIZER],
    };
  },
  /** Only `/finalize` takes finalizers away. */
  prepareForUpdate(namespace, old, subresource) {
    if (subresource === "finalize") return;
    if (old.spec) namespace.spec = old.spec;
  },
  *validate({ metadata, spec }) {
    yield* keepLogsProblems(metadata?.annotations);
    for (const finalizer of spec?.finalizers ?? []) {
      yield* invalidFor("spec.finalizers", finalizer, qualifiedNameProblems(finalizer));
      if (!finalizer.includes("/") && finalizer !== NAMESPACE_FINALIZER)
        yield invalidValue("spec.finalizers", finalizer, NOT_STANDARD);
    }
  },
  *validateUpdate({ metadata, status }, _, subresource) {
    if (subresource !== "status") return;
    const phase = status?.phase ?? "";
    if (!metadata?.deletionTimestamp && phase !== "Active")
      yield invalidValue("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty");
    if (metadata?.deletionTimestamp && phase !== "Terminating")
      yield invalidValue("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
  },
  fieldSelectors: { "status.phase": (namespace) => namespace.status?.phase ?? "" },
  columns: [nameColumn, { name: "Status", type: "string", value: ({ status }) => status?.phase ?? "" }, ageColumn],
});
