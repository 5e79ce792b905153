import { Lease } from "../../kinds/coordination/lease.ts";
import { Node } from "../../kinds/core/node.ts";
import { microTimestamp } from "../../lib/effects.ts";
import { NODE_LEASES } from "../../lib/node-leases.ts";
import type { Controller } from "../controller.ts";
import { keyOf, watch } from "../keys.ts";

/** A kubelet's own: nodeLeaseDurationSeconds. */
const DURATION_SECONDS = 40;

/**
 * Every node has a Lease, which is made once. Nobody renews it: when the node was last heard is known from its control
 * socket, and is put in whenever the Lease is read.
 * https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
 */
export const nodeLeaseController: Controller = {
  name: "node-lease-controller",
  watches: [
    watch(Node, function* (node, old, _view, type) {
      if (type !== "DELETED" && !old) yield keyOf(node);
    }),
    watch(Lease, function* ({ metadata }, _old, _view, type) {
      if (type === "DELETED" && metadata.namespace === NODE_LEASES) yield `/${metadata.name}`;
    }),
  ],
  reconcile(view, key, { now }) {
    const name = key.slice(1);
    const node = view.get(Node, "", name);
    if (!node || node.metadata.deletionTimestamp || view.get(Lease, NODE_LEASES, name)) return [];
    const owner = { apiVersion: "v1", kind: "Node", name, uid: node.metadata.uid ?? "" };
    const metadata = { name, namespace: NODE_LEASES, ownerReferences: [owner] };
    const spec = { holderIdentity: name, leaseDurationSeconds: DURATION_SECONDS, renewTime: microTimestamp(now) };
    return [{ do: "create", kind: Lease, object: { metadata, spec } }];
  },
};
