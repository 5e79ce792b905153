import type { CoreV1Pod, CoreV1PodSpec, SchedulingV1PriorityClass } from "../../kinds/generated/types.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, creates, kindNamed, refusal } from "./admission.ts";

const DEFAULT_PREEMPTION = "PreemptLowerPriority";

/** Pods get the number that their PriorityClass names: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/ */
export const priority: Admission = {
  name: "Priority",
  admits(operation) {
    if (creates(operation, "pods")) resolve(operation);
    if (operation.action === "UPDATE" && operation.kind.groupResource === "pods") keep(operation);
    const { kind, subresource, action } = operation;
    if (kind.groupResource === "priorityclasses.scheduling.k8s.io" && subresource === "" && action !== "DELETE")
      checkOneDefault(operation);
  },
};

/** An update that leaves them out means them as they are. */
function keep({ object, old }: Operation): void {
  const { spec } = object as CoreV1Pod;
  const before = (old as CoreV1Pod | undefined)?.spec;
  if (spec && before?.priority !== undefined) spec.priority ??= before.priority;
  if (spec && before?.preemptionPolicy !== undefined) spec.preemptionPolicy ??= before.preemptionPolicy;
}

const classesOf = (operation: Operation) =>
  kindNamed<SchedulingV1PriorityClass>(operation, "scheduling.k8s.io", "priorityclasses");

function resolve(operation: Operation): void {
  const { spec } = operation.object as CoreV1Pod;
  if (!spec) return;
  const found = spec.priorityClassName ? named(operation, spec.priorityClassName) : defaultClass(operation);
  if (found) spec.priorityClassName = found.metadata?.name ?? "";
  settle(operation, spec, found?.value ?? 0, found?.preemptionPolicy ?? DEFAULT_PREEMPTION);
}

function named(operation: Operation, name: string): SchedulingV1PriorityClass {
  const found = operation.core.view.get(classesOf(operation), "", name);
  if (!found) throw refusal(operation, `no PriorityClass with name ${name} was found`);
  return found;
}

/** Of several by accident, the lowest. */
const defaultClass = (operation: Operation): SchedulingV1PriorityClass | undefined =>
  operation.core.view
    .list(classesOf(operation))
    .filter(({ globalDefault }) => globalDefault)
    .toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];

function settle(operation: Operation, spec: CoreV1PodSpec, value: number, preemption: string): void {
  if (spec.priority !== undefined && spec.priority !== value)
    throw refusal(
      operation,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemption)
    throw refusal(
      operation,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemption} from the given PriorityClass name`,
    );
  spec.priority = value;
  spec.preemptionPolicy = preemption;
}

function checkOneDefault(operation: Operation): void {
  const { globalDefault, metadata } = operation.object as SchedulingV1PriorityClass;
  if (!globalDefault) return;
  const other = defaultClass(operation)?.metadata?.name;
  if (other !== undefined && other !== metadata?.name)
    throw refusal(operation, `PriorityClass ${other} is already marked as default. Only one default can exist`);
}
