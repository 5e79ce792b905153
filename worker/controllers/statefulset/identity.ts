import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { CoreV1PersistentVolumeClaim, CoreV1PodTemplateSpec } from "../../kinds/generated/types.ts";
import { controllerRef } from "../owners.ts";
import { REVISION_HASH } from "../revisions.ts";

const POD_NAME = "statefulset.kubernetes.io/pod-name";
const POD_INDEX = "apps.kubernetes.io/pod-index";

export const podName = (set: Readonly<StatefulSet>, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const claimName = (claim: CoreV1PersistentVolumeClaim, pod: string): string => `${claim.metadata?.name}-${pod}`;

/** The number in a pod's name; undefined when the name is not of this set. */
export function ordinalOf(set: Readonly<StatefulSet>, pod: Readonly<Pod>): number | undefined {
  const [, parent, digits] = /^(.*)-([0-9]+)$/.exec(pod.metadata.name ?? "") ?? [];
  return parent === set.metadata.name ? Number(digits) : undefined;
}

/** A pod with the identity that goes with an ordinal: name, host name, labels and claims. */
export function podOf(
  set: Readonly<StatefulSet>,
  ordinal: number,
  template: CoreV1PodTemplateSpec,
  revision: string,
): Pod {
  const name = podName(set, ordinal);
  const spec = structuredClone(template.spec ?? { containers: [] });
  spec.hostname = name;
  if (set.spec.serviceName) spec.subdomain = set.spec.serviceName;
  const claims = set.spec.volumeClaimTemplates ?? [];
  if (claims.length > 0) {
    const own = new Set(claims.map((claim) => claim.metadata?.name));
    spec.volumes = [
      ...claims.map((claim) => ({
        name: claim.metadata?.name ?? "",
        persistentVolumeClaim: { claimName: claimName(claim, name) },
      })),
      ...(spec.volumes ?? []).filter((volume) => !own.has(volume.name)),
    ];
  }
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: Pod.apiVersion,
    kind: Pod.kind,
    metadata: {
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace,
      labels: { ...labels, [POD_NAME]: name, [POD_INDEX]: String(ordinal), [REVISION_HASH]: revision },
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerRef(StatefulSet, set)],
    },
    spec,
  };
}

/** The claims of one pod; they outlive it. */
export function claimsOf(set: Readonly<StatefulSet>, pod: string): CoreV1PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...claim.metadata,
      name: claimName(claim, pod),
      namespace: set.metadata.namespace,
      labels: { ...claim.metadata?.labels, ...set.spec.selector.matchLabels },
    },
    spec: claim.spec,
  }));
}
