import { tolerates } from "../../lib/taints.ts";
import { type Filter, refuseFinally } from "../framework.ts";

const CORDONED = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** `kubectl cordon`. https://kubernetes.io/docs/concepts/architecture/nodes/#manual-node-administration */
export const nodeUnschedulable: Filter = {
  name: "NodeUnschedulable",
  judge({ pod }) {
    if (pod.spec.tolerations?.some((toleration) => tolerates(toleration, CORDONED))) return undefined;
    return ({ node }) => !node.spec?.unschedulable || refuseFinally("node(s) were unschedulable");
  },
};
