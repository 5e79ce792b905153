import { matchesNodeTerm } from "../../lib/node-selectors.ts";
import { tolerates } from "../../lib/taints.ts";
import { fewerIsBetter, moreIsBetter, type Score } from "../framework.ts";

/** Nodes with fewer PreferNoSchedule taints that the pod does not tolerate. */
export const preferredTaints: Score = {
  name: "TaintToleration",
  weight: 3,
  scale: fewerIsBetter,
  rate:
    ({ pod }) =>
    ({ node }) =>
      (node.spec?.taints ?? []).filter(
        (taint) =>
          taint.effect === "PreferNoSchedule" &&
          !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint)),
      ).length,
};

/** Preferred node affinity: the sum of the weights of the terms that match. */
export const preferredNodeAffinity: Score = {
  name: "NodeAffinity",
  weight: 2,
  scale: moreIsBetter,
  rate({ pod }) {
    const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (terms.length === 0) return undefined;
    return (node) =>
      terms.reduce((sum, { weight, preference }) => sum + (matchesNodeTerm(preference, node) ? weight : 0), 0);
  },
};
