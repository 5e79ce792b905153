/**
 * The node's Lease, for a control plane whose controllers are other programs: those take a node that stops to renew it
 * for lost. Skerry's own know of a node by its control socket, and ask for none.
 * https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
 */
import { microTimestamp } from "../../worker/lib/effects.ts";
import { NODE_LEASES } from "../../worker/lib/node-leases.ts";
import type { Reply } from "../link.ts";

/** As kubelets do: a quarter of the duration that the Lease names. */
export const RENEW_EVERY_MS = 10_000;
const DURATION_SECONDS = 40;

export type LeaseOptions = {
  node: string;
  /** Of the Node, once it is known; the Lease goes when that goes. */
  uid(): string | undefined;
  effects: { now(): number; after(ms: number, body: () => void): () => void };
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Reply>;
};

/** Renews the Lease until what it returns is called. A renewal that fails is made up for by the next. */
export function keepLease(options: LeaseOptions): () => void {
  let ended = false;
  let cancel = () => {};
  const beat = () => {
    renew(options)
      .catch(() => {})
      .then(() => {
        if (!ended) cancel = options.effects.after(RENEW_EVERY_MS, beat);
      });
  };
  beat();
  return () => {
    ended = true;
    cancel();
  };
}

async function renew({ node, uid, effects, call }: LeaseOptions): Promise<void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${NODE_LEASES}/leases`;
  const renewTime = microTimestamp(effects.now());
  const { code } = await call("PATCH", `${path}/${node}`, { spec: { renewTime } }, "application/merge-patch+json");
  const owner = uid();
  if (code !== 404 || !owner) return;
  const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: node, uid: owner }];
  const spec = { holderIdentity: node, leaseDurationSeconds: DURATION_SECONDS, renewTime };
  await call("POST", path, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: node, namespace: NODE_LEASES, ownerReferences },
    spec,
  });
}
