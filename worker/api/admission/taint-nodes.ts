import type { CoreV1Node } from "../../kinds/generated/types.ts";
import { type Admission, creates } from "./admission.ts";

const NOT_READY = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** A new node takes no pods until it is known to be ready. */
export const taintNodes: Admission = {
  name: "TaintNodesByCondition",
  admits(operation) {
    if (!creates(operation, "nodes")) return;
    const node = operation.object as CoreV1Node;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    const isTainted = taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect);
    if (!isTainted) node.spec.taints = [...taints, { ...NOT_READY }];
  },
};
