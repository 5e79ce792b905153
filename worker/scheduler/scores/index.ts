import type { Score } from "../framework.ts";
import { imageLocality } from "./image-locality.ts";
import { preferredPodAffinity } from "./inter-pod-affinity.ts";
import { preferredNodeAffinity, preferredTaints } from "./preferences.ts";
import { balancedAllocation, leastAllocated } from "./resources.ts";
import { spread } from "./spread.ts";

/** With upstream's weights. */
export const scores: readonly Score[] = [
  leastAllocated,
  balancedAllocation,
  preferredTaints,
  preferredNodeAffinity,
  spread,
  preferredPodAffinity,
  imageLocality,
];
