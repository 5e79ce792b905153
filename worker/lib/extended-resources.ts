/** Resources that a node has because somebody says so. https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/ */

/** Names with a domain other than Kubernetes' own. */
export const isExtended = (name: string): boolean => name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name);

/** Of amounts by resource, those of such resources. */
export const extendedOf = <T>(amounts: Readonly<Record<string, T>> = {}): Record<string, T> =>
  Object.fromEntries(Object.entries(amounts).filter(([name]) => isExtended(name)));
