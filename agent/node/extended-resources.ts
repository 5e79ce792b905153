import type { CoreV1Node } from "../../worker/kinds/generated/types.ts";

/** Names with a domain other than Kubernetes' own. */
const isExtended = (name: string): boolean => name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name);

/**
 * What others say that a node has is what pods may ask for: the allocatable amounts of such resources, null for those
 * that are there no more.
 * https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/
 */
export function extendedAllocatable(node: CoreV1Node | undefined): Record<string, string | null> {
  const { capacity = {}, allocatable = {} } = node?.status ?? {};
  const gone = Object.keys(allocatable).filter((name) => isExtended(name) && !(name in capacity));
  return Object.fromEntries([
    ...Object.entries(capacity).filter(([name]) => isExtended(name)),
    ...gone.map((name) => [name, null] as const),
  ]);
}

/** Whether the node's status says so already. */
export const agreesWithExtended = (node: CoreV1Node | undefined): boolean =>
  Object.entries(extendedAllocatable(node)).every(([name, amount]) => node?.status?.allocatable?.[name] === amount);
