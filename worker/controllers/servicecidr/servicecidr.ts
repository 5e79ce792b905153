import { IPAddress } from "../../kinds/networking/ip-address.ts";
import { ServiceCIDR } from "../../kinds/networking/service-cidr.ts";
import { contains } from "../../kinds/validation/ip.ts";
import { withCondition } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";
import { MANAGED_BY } from "./ipaddress.ts";

/** Keeps a range while addresses are taken from it. */
export const SERVICE_CIDR_FINALIZER = "networking.k8s.io/service-cidr-finalizer";

type Range = Readonly<ServiceCIDR>;

/**
 * Makes ranges of Services' addresses ready, and lets a deleted one go when no address needs it any more.
 * https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/
 */
export const serviceCidrController: Controller = {
  name: "service-cidr-controller",
  watches: [
    watch(ServiceCIDR, function* (range, _old, view, type) {
      yield keyOf(range);
      if (type === "ADDED") yield* doomed(view); // one that takes the addresses of another in
    }),
    watch(IPAddress, function* (_address, _old, view, type) {
      if (type === "DELETED") yield* doomed(view);
    }),
  ],
  reconcile(view, key, { now }) {
    const range = view.get(ServiceCIDR, ...splitKey(key));
    if (!range) return [];
    const finalizers = range.metadata?.finalizers ?? [];
    const isHeld = finalizers.includes(SERVICE_CIDR_FINALIZER);
    const isReady = { type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };
    if (!range.metadata?.deletionTimestamp)
      return [
        ...(isHeld ? [] : [withFinalizers(range, [...finalizers, SERVICE_CIDR_FINALIZER])]),
        ...settle(range, isReady, now),
      ];
    if (isNeeded(view, range)) return settle(range, TERMINATING, now);
    return isHeld
      ? [
          withFinalizers(
            range,
            finalizers.filter((name) => name !== SERVICE_CIDR_FINALIZER),
          ),
        ]
      : [];
  },
};

const TERMINATING = {
  type: "Ready",
  status: "False",
  reason: "Terminating",
  message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
};

function* doomed(view: View): Iterable<string> {
  for (const range of view.list(ServiceCIDR)) if (range.metadata?.deletionTimestamp) yield* ownKey(range);
}

const withFinalizers = (range: Range, finalizers: string[]): Intent => ({
  do: "update",
  kind: ServiceCIDR,
  object: { ...range, metadata: { ...range.metadata, finalizers } } as ServiceCIDR,
});

type Condition = { type: string; status: string; reason: string; message: string };

function settle(range: Range, condition: Condition, now: number): Intent[] {
  const known = range.status?.conditions?.find(({ type }) => type === condition.type);
  if (known?.status === condition.status && known.message === condition.message) return [];
  const conditions = withCondition(range.status?.conditions as Condition[] | undefined, condition, now);
  return [{ do: "updateStatus", kind: ServiceCIDR, object: { ...range, status: { conditions } } as ServiceCIDR }];
}

/** True when an address of a Service would be in no range without this one. */
function isNeeded(view: View, range: Range): boolean {
  const others = view
    .list(ServiceCIDR)
    .filter(({ metadata }) => metadata?.name !== range.metadata?.name)
    .flatMap(({ spec }) => spec?.cidrs ?? []);
  const own = range.spec?.cidrs ?? [];
  if (own.every((cidr) => others.some((other) => contains(other, cidr)))) return false;
  return view.list(IPAddress).some(({ metadata }) => {
    const address = metadata?.name ?? "";
    if (metadata?.labels?.[MANAGED_BY.label] !== MANAGED_BY.value) return false;
    return own.some((cidr) => contains(cidr, address)) && !others.some((cidr) => contains(cidr, address));
  });
}
