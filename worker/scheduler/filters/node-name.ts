import { type Filter, refuseFinally } from "../framework.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename */
export const nodeName: Filter = {
  name: "NodeName",
  judge({ pod: { spec } }) {
    if (!spec.nodeName) return undefined;
    return (node) => node.name === spec.nodeName || refuseFinally("node(s) didn't match the requested node name");
  },
};
