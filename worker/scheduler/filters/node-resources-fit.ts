import type { Filter } from "../framework.ts";

/** https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled */
export const nodeResourcesFit: Filter = {
  name: "NodeResourcesFit",
  judge({ requests }) {
    const wanted = [...requests].filter(([, amount]) => amount > 0);
    return ({ allocatable, requested, pods }) => {
      const reasons: string[] = [];
      let final = false;
      if (pods.size + 1 > (allocatable.get("pods") ?? 0)) reasons.push("Too many pods");
      for (const [name, amount] of wanted) {
        const whole = allocatable.get(name) ?? 0;
        if (amount <= whole - (requested.get(name) ?? 0)) continue;
        reasons.push(`Insufficient ${name}`);
        // More than the node has when empty: no other pod's going would help.
        if (amount > whole) final = true;
      }
      return reasons.length === 0 || { reasons, final };
    };
  },
};
