import { Node } from "../../kinds/core/node.ts";
import { classOf, isServed, NODE_CONDITION, ownClasses } from "../../kinds/ingress/class.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { IngressClass } from "../../kinds/networking/ingress-class.ts";
import { same } from "../../kinds/paths.ts";
import { isIp } from "../../kinds/validation/ip.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Digest, Intent, View } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";
import { outsideAddress } from "../nodes/outside-address.ts";

/** Addresses in one status: in larger clusters these are some of those that serve. */
const MOST = 50;

/** Where a node serves Ingresses; "" where it does not. */
export function servingAddress(node: Readonly<Node>): string {
  const is = (type: string) => conditionOf(node.status?.conditions, type)?.status === "True";
  return is("Ready") && is(NODE_CONDITION) ? outsideAddress(node) : "";
}

export const SERVING: Digest<Node, string> = { kind: Node, of: servingAddress };

function* allIngresses(view: View): Iterable<string> {
  for (const ingress of view.list(Ingress)) yield keyOf(ingress);
}

/** Tells in Ingresses of ours at which addresses nodes serve them. */
export const ingressStatusController: Controller = {
  name: "ingress-status-controller",
  patient: true,
  watches: [
    watch(Ingress, ownKey),
    watch(IngressClass, (_, __, view) => allIngresses(view)),
    watch(Node, function* (node, old, view, type) {
      const before = old && servingAddress(old);
      const now = type === "DELETED" ? "" : servingAddress(node);
      if (type === "DELETED" ? before : (before ?? "") !== now) yield* allIngresses(view);
    }),
  ],
  reconcile(view, key): Intent[] {
    const ingress = view.get(Ingress, ...splitKey(key));
    if (!ingress) return [];
    const own = ownClasses(view.list(IngressClass));
    if (!classOf(ingress, own)) return [];
    const wanted = isServed(ingress, own, "lan") ? addresses(view) : [];
    const known = ingress.status?.loadBalancer?.ingress ?? [];
    if (same(wanted, known)) return [];
    const loadBalancer = wanted.length > 0 ? { ingress: wanted } : {};
    return [{ do: "updateStatus", kind: Ingress, object: { ...ingress, status: { loadBalancer } } as Ingress }];
  },
};

/** Of nodes that serve. */
export const servingAddresses = (view: View): string[] => [
  ...new Set([...view.digest(SERVING).values()].filter((address) => address !== "")),
];

const addresses = (view: View): { ip?: string; hostname?: string }[] =>
  servingAddresses(view)
    .toSorted()
    .slice(0, MOST)
    .map((address) => (isIp(address) ? { ip: address } : { hostname: address }));
