import { quotaCovers, quotaResource, quotaUsage } from "../../kinds/core/quota-usage.ts";
import { ResourceQuota } from "../../kinds/core/resource-quota.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { addResources, formatResources, parseResources, type Resources, ZERO } from "../../lib/quantity.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { splitKey } from "../keys.ts";

/** Of these an update may change what they take; others count by being there. */
const VARYING = new Set(["persistentvolumeclaims", "pods", "services"]);

/**
 * Writes into each quota's status what its namespace has used; admission counts for itself. Its keys are namespaces,
 * whose quotas are summed together.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export const resourceQuotaController: Controller = {
  name: "resourcequota-controller",
  patient: true,
  watches: "all",
  *keysForAny(kind, object, old, type) {
    if (!kind.namespaced) return;
    const key = `/${object.metadata?.namespace ?? ""}`;
    if (kind.groupResource === ResourceQuota.groupResource || type !== "MODIFIED" || !old) yield key;
    else if (VARYING.has(kind.groupResource) && takesOtherwise(kind, object, old)) yield key;
  },
  reconcile(view, key) {
    const [, namespace] = splitKey(key);
    const kinds = new Map(view.kinds().map((kind) => [kind.groupResource, kind]));
    return view.list(ResourceQuota, namespace).flatMap((quota) => settle(view, kinds, quota));
  },
};

/**
 * What scopes ask for counts as well: a pod's deadline may change, and so may the priority of one without limits, and a
 * claim's class of attributes. Of pods, whose statuses change often, the status does not matter otherwise.
 */
function takesOtherwise(kind: Kind, object: Readonly<KubeObject>, old: Readonly<KubeObject>): boolean {
  const spec = (of: Readonly<KubeObject & { spec?: unknown; status?: unknown }>) =>
    kind.groupResource === "pods" ? of.spec : [of.spec, of.status];
  const usage = (of: Readonly<KubeObject>) => formatResources(quotaUsage(kind.groupResource, of));
  return !same(spec(object), spec(old)) || !same(usage(object), usage(old));
}

function settle(view: View, kinds: ReadonlyMap<string, Kind>, quota: Readonly<ResourceQuota>): Intent[] {
  const hard = quota.spec?.hard ?? {};
  const status = { hard, used: formatResources(usedOf(view, kinds, quota)) };
  const known = { hard: quota.status?.hard ?? {}, used: quota.status?.used ?? {} };
  if (same(status, known) && quota.status?.hard) return [];
  return [{ do: "updateStatus", kind: ResourceQuota, object: { ...quota, status } as ResourceQuota }];
}

/** The sum over the namespace, of what the quota limits and of nothing else. */
function usedOf(view: View, kinds: ReadonlyMap<string, Kind>, { metadata, spec }: Readonly<ResourceQuota>): Resources {
  const hard = Object.keys(parseResources(spec?.hard as Record<string, string> | undefined));
  const used: Resources = {};
  for (const resource of new Set(hard.map(quotaResource))) {
    const kind = kinds.get(resource);
    if (!kind) continue;
    let sum: Resources = {};
    for (const object of view.list(kind, metadata?.namespace ?? ""))
      if (quotaCovers(spec ?? {}, resource, object)) sum = addResources(sum, quotaUsage(resource, object));
    for (const name of hard) if (quotaResource(name) === resource) used[name] = sum[name] ?? ZERO;
  }
  return used;
}
