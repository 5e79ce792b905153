/**
 * Limits of what pods may write to the node's disk.
 * https://kubernetes.io/docs/concepts/storage/ephemeral-storage/#resource-ephemeralstorage-consumption
 */
import { podLimits } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  wholeQuantity,
} from "../../worker/lib/quantity.ts";

const RESOURCE = "ephemeral-storage";

/** In bytes. */
export type StorageUsage = {
  /** All of it: containers, their logs, volumes. */
  total: number;
  /** Writable layers and logs, by container. */
  containers: ReadonlyMap<string, number>;
  /** emptyDirs on disk, by volume. */
  volumes: ReadonlyMap<string, number>;
};

const sizeLimit = ({ emptyDir }: NonNullable<CoreV1Pod["spec"]["volumes"]>[number]): Quantity | undefined => {
  const limit = emptyDir?.sizeLimit === undefined ? undefined : parseQuantity(emptyDir.sizeLimit);
  return limit && limit.nano > 0n ? limit : undefined;
};

/** Whether there is anything to hold a pod to: others need not be measured. */
export const isStorageLimited = (pod: CoreV1Pod): boolean =>
  podLimits(pod)[RESOURCE] !== undefined ||
  (pod.spec.volumes ?? []).some((volume) => volume.emptyDir?.medium !== "Memory" && sizeLimit(volume));

/** Why a pod has to go for what it has written; undefined when it keeps to its limits. */
export function storageExcess(pod: CoreV1Pod, usage: StorageUsage): string | undefined {
  for (const volume of pod.spec.volumes ?? []) {
    const limit = sizeLimit(volume);
    const used = usage.volumes.get(volume.name);
    if (limit && used !== undefined && exceeds(used, limit))
      return `Usage of EmptyDir volume "${volume.name}" exceeds the limit "${formatQuantity(limit)}". `;
  }
  const total = podLimits(pod)[RESOURCE];
  if (total && exceeds(usage.total, total))
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(total)}. `;
  for (const { name, resources } of pod.spec.containers) {
    const limit = parseQuantity(resources?.limits?.[RESOURCE] ?? "0");
    if (limit.nano > 0n && exceeds(usage.containers.get(name) ?? 0, limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${formatQuantity(limit)}". `;
  }
  return undefined;
}

const exceeds = (bytes: number, limit: Quantity) => compareQuantities(wholeQuantity(bytes), limit) > 0;
