import { untolerated } from "../../lib/taints.ts";
import { type Filter, refuseFinally } from "../framework.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export const taintToleration: Filter = {
  name: "TaintToleration",
  judge:
    ({ pod }) =>
    ({ node }) =>
      !untolerated(node.spec?.taints, pod.spec.tolerations, ["NoSchedule", "NoExecute"]) ||
      refuseFinally("node(s) had untolerated taint(s)"),
};
