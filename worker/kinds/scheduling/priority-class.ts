import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/ */
export type PriorityClass = Schemas["io.k8s.api.scheduling.v1.PriorityClass"];

const HIGHEST_FOR_USERS = 1_000_000_000;
const SYSTEM: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};
const POLICIES = ["PreemptLowerPriority", "Never"];

export const PriorityClass = defineKind({
  schema: "io.k8s.api.scheduling.v1.PriorityClass",
  defaults: { preemptionPolicy: "PreemptLowerPriority" },
  changesGeneration: () => false,
  validate: () => [],
  *validateCreate({ metadata, value = 0, preemptionPolicy }) {
    const name = metadata?.name ?? "";
    if (name.startsWith("system-")) {
      const known = SYSTEM[name];
      const why =
        known === undefined
          ? `${name} is not a known system priority class`
          : known !== value && `value of ${name} PriorityClass must be ${known}`;
      if (why)
        yield forbiddenField(
          "metadata.name",
          `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
        );
    } else if (value > HIGHEST_FOR_USERS)
      yield forbiddenField("value", `maximum allowed value of a user defined priority is ${HIGHEST_FOR_USERS}`);
    if (preemptionPolicy === "") yield required("preemptionPolicy");
    else if (preemptionPolicy !== undefined && !POLICIES.includes(preemptionPolicy))
      yield notSupported("preemptionPolicy", preemptionPolicy, POLICIES);
  },
  *validateUpdate(priority, old) {
    if ((priority.value ?? 0) !== (old.value ?? 0)) yield forbiddenField("value", "may not be changed in an update.");
    if (priority.preemptionPolicy !== old.preemptionPolicy)
      yield invalidValue("preemptionPolicy", priority.preemptionPolicy, "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "Value", type: "integer", value: ({ value }) => value ?? 0 },
    { name: "Global-Default", type: "boolean", value: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    { name: "PreemptionPolicy", type: "string", value: ({ preemptionPolicy }) => preemptionPolicy ?? "" },
  ],
});
