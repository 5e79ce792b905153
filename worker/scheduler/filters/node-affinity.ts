import { selectsNode } from "../../lib/node-selectors.ts";
import { type Filter, refuseFinally } from "../framework.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#affinity-and-anti-affinity */
export const nodeAffinity: Filter = {
  name: "NodeAffinity",
  judge({ pod: { spec } }) {
    if (!spec.nodeSelector && !spec.affinity?.nodeAffinity) return undefined;
    return (node) => selectsNode(spec, node) || refuseFinally("node(s) didn't match Pod's node affinity/selector");
  },
};
