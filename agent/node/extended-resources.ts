import type { CoreV1Node } from "../../worker/kinds/generated/types.ts";
import { extendedOf } from "../../worker/lib/extended-resources.ts";

/**
 * What others say that a node has is what pods may ask for: the allocatable amounts of such resources, null for those
 * that are there no more.
 * https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/
 */
export function extendedAllocatable(node: CoreV1Node | undefined): Record<string, string | null> {
  const { capacity = {}, allocatable = {} } = node?.status ?? {};
  const gone = Object.keys(extendedOf(allocatable)).filter((name) => !(name in capacity));
  return Object.fromEntries([...Object.entries(extendedOf(capacity)), ...gone.map((name) => [name, null] as const)]);
}

/** Whether the node's status says so already. */
export const agreesWithExtended = (node: CoreV1Node | undefined): boolean =>
  Object.entries(extendedAllocatable(node)).every(([name, amount]) => node?.status?.allocatable?.[name] === amount);
