import type { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal, podAvailableAt } from "../kinds/core/pod-conditions.ts";

/** Deleted, but not gone: its containers may run still. */
export const isTerminating = (pod: Readonly<Pod>): boolean =>
  !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

/** Since when it is ready, ms; undefined when it is not. */
export const readySince = (pod: Readonly<Pod>): number | undefined => podAvailableAt(pod, 0);
