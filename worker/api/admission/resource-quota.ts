import { quotaCovers, quotaUsage } from "../../kinds/core/quota-usage.ts";
import { ResourceQuota } from "../../kinds/core/resource-quota.ts";
import type { CoreV1Container, CoreV1Pod, CoreV1ResourceQuota } from "../../kinds/generated/types.ts";
import {
  addResources,
  compareQuantities,
  formatQuantity,
  parseResources,
  type Resources,
  subtractQuantities,
  ZERO,
} from "../../lib/quantity.ts";
import { fromStored } from "../engine/conversions.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, refusal } from "./admission.ts";

/**
 * Nothing takes more than its namespace may have. What is used is summed up from what is stored at this moment, so a
 * quota's status, which its controller writes, is for people to read.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export const resourceQuota: Admission = {
  name: "ResourceQuota",
  admits(operation) {
    const { action, core, kind, namespace, subresource } = operation;
    const mayGrow = action === "CREATE" || CAN_GROW.has(kind.groupResource);
    if (!kind.namespaced || subresource === "status" || !mayGrow || action === "DELETE") return;
    for (const quota of core.view.list(ResourceQuota, namespace)) check(operation, quota);
  },
};

/** Objects whose updates may take more than before. */
const CAN_GROW = new Set(["persistentvolumeclaims", "pods", "services"]);

function check(operation: Operation, { metadata, spec }: Readonly<CoreV1ResourceQuota>): void {
  const { kind, object, old } = operation;
  const name = metadata?.name ?? "";
  if (!quotaCovers(spec ?? {}, kind.groupResource, object)) return;
  const hard = parseResources(spec?.hard as Record<string, string> | undefined);
  const why = kind.groupResource === "pods" && !old ? unspecified(object as CoreV1Pod, hard) : undefined;
  if (why) throw refusal(operation, `failed quota: ${name}: must specify ${why}`);
  const before = old ? quotaUsage(kind.groupResource, old) : {};
  const requested = only(growth(quotaUsage(kind.groupResource, object), before), hard);
  if (Object.keys(requested).length === 0) return;
  const used = only(usedNow(operation, spec ?? {}), requested);
  const exceeded = Object.keys(requested).filter(
    (item) => compareQuantities(addResources(used, requested)[item] ?? ZERO, hard[item] ?? ZERO) > 0,
  );
  if (exceeded.length === 0) return;
  const show = (list: Resources) =>
    exceeded
      .toSorted()
      .map((item) => `${item}=${formatQuantity(list[item] ?? ZERO)}`)
      .join(",");
  throw refusal(
    operation,
    `exceeded quota: ${name}, requested: ${show(requested)}, used: ${show(used)}, limited: ${show(hard)}`,
  );
}

const only = (list: Resources, names: Resources): Resources =>
  Object.fromEntries(Object.entries(list).filter(([name]) => name in names));

/** What is taken beyond what was taken before. */
function growth(after: Resources, before: Resources): Resources {
  const grown: Resources = {};
  for (const [name, amount] of Object.entries(after)) {
    const more = subtractQuantities(amount, before[name] ?? ZERO);
    if (more.nano > 0n) grown[name] = more;
  }
  return grown;
}

function usedNow({ core, kind, namespace }: Operation, spec: NonNullable<CoreV1ResourceQuota["spec"]>): Resources {
  let used: Resources = {};
  for (const stored of core.view.list(kind, namespace)) {
    const object = fromStored(kind, stored);
    if (quotaCovers(spec, kind.groupResource, object))
      used = addResources(used, quotaUsage(kind.groupResource, object));
  }
  return used;
}

/** Under a quota of compute resources every container has to say what it takes. */
const MUST_SAY = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

function unspecified({ spec }: CoreV1Pod, hard: Resources): string | undefined {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const missing = MUST_SAY.filter((name) => name in hard).flatMap((name) => {
    const silent = containers.filter((container) => !says(container, name)).map((container) => container.name);
    return silent.length ? [`${name} for: ${silent.toSorted().join(",")}`] : [];
  });
  return missing.length ? missing.toSorted().join("; ") : undefined;
}

function says({ resources }: CoreV1Container, name: string): boolean {
  const resource = name.split(".").at(-1) ?? "";
  return resource in ((name.startsWith("limits.") ? resources?.limits : resources?.requests) ?? {});
}
