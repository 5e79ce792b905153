import type { CoreV1Pod, CoreV1PodSpec, CoreV1Toleration, NodeV1RuntimeClass } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { canonicalizeResources } from "../../lib/quantity.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, creates, kindNamed, refusal } from "./admission.ts";

/** Pods get what their RuntimeClass costs and where it runs: https://kubernetes.io/docs/concepts/containers/runtime-class/ */
export const runtimeClass: Admission = {
  name: "RuntimeClass",
  admits(operation) {
    if (!creates(operation, "pods")) return;
    const { spec } = operation.object as CoreV1Pod;
    if (!spec?.runtimeClassName) return;
    const found = classOf(operation, spec.runtimeClassName);
    setOverhead(operation, spec, found);
    setScheduling(operation, spec, found);
  },
};

/** What a pod says of its overhead is what its class says, whoever wrote it. */
export const runtimeClassOverhead: Admission = {
  name: "RuntimeClass",
  admits(operation) {
    if (!creates(operation, "pods")) return;
    const { spec } = operation.object as CoreV1Pod;
    const wanted = spec?.runtimeClassName ? overheadOf(classOf(operation, spec.runtimeClassName)) : undefined;
    if (wanted === undefined && spec?.overhead)
      throw refusal(operation, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    if (wanted !== undefined && !same(wanted, spec?.overhead)) throw mismatch(operation);
  },
};

function classOf(operation: Operation, name: string): NodeV1RuntimeClass {
  const kind = kindNamed<NodeV1RuntimeClass>(operation, "node.k8s.io", "runtimeclasses");
  const found = operation.core.view.get(kind, "", name);
  if (!found) throw refusal(operation, `pod rejected: RuntimeClass "${name}" not found`);
  return found;
}

function overheadOf({ overhead }: NodeV1RuntimeClass): Record<string, string> | undefined {
  if (!overhead) return undefined;
  const fixed = { ...overhead.podFixed };
  canonicalizeResources(fixed);
  return fixed;
}

const mismatch = (operation: Operation) =>
  refusal(operation, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");

function setOverhead(operation: Operation, spec: CoreV1PodSpec, found: NodeV1RuntimeClass): void {
  const overhead = overheadOf(found);
  if (!overhead) return;
  if (Object.keys(spec.overhead ?? {}).length > 0 && !same(overhead, spec.overhead)) throw mismatch(operation);
  spec.overhead = overhead;
}

function setScheduling(operation: Operation, spec: CoreV1PodSpec, { scheduling }: NodeV1RuntimeClass): void {
  if (!scheduling) return;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value)
      throw refusal(
        operation,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const tolerations = merged([...(spec.tolerations ?? []), ...(scheduling.tolerations ?? [])]);
  if (tolerations.length > 0) spec.tolerations = tolerations;
}

/** Each once, and none that another one includes. */
const merged = (all: readonly CoreV1Toleration[]): CoreV1Toleration[] =>
  all.filter((one, index) =>
    all.every((other, at) => at === index || !includes(other, one) || (same(other, one) && index < at)),
  );

function includes(wide: CoreV1Toleration, narrow: CoreV1Toleration): boolean {
  if (same(wide, narrow)) return true;
  if (narrow.key !== wide.key && (wide.key || wide.operator !== "Exists")) return false;
  if (wide.effect && narrow.effect !== wide.effect) return false;
  const longest = wide.effect === "NoExecute" ? wide.tolerationSeconds : undefined;
  if (longest !== undefined && !((narrow.tolerationSeconds ?? Number.POSITIVE_INFINITY) <= longest)) return false;
  if (wide.operator === "Exists") return true;
  return (narrow.operator ?? "Equal") === "Equal" && narrow.value === wide.value;
}
