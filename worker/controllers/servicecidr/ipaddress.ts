import { Service } from "../../kinds/core/service.ts";
import { IPAddress } from "../../kinds/networking/ip-address.ts";
import { same } from "../../kinds/paths.ts";
import { canonicalIp, ipFamily } from "../../kinds/validation/ip.ts";
import type { Controller, Intent } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { removal } from "../removal.ts";

/** Marks addresses that belong to Services, so that others' stay as they are. */
export const MANAGED_BY = { label: "ipaddress.kubernetes.io/managed-by", value: "ipallocator.k8s.io" } as const;
const FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family";

/**
 * Shows each Service's addresses as IPAddress objects. What is allocated is decided where Services are written; these
 * follow. Its keys are a Service's, with one of its addresses: `namespace/name/address`.
 */
export const ipAddressController: Controller = {
  name: "service-ip-address-controller",
  watches: [
    watch(Service, function* (service, old, _view, type) {
      const before = type === "MODIFIED" ? addressesOf(old) : [];
      const changed = addressesOf(service).filter((address) => !before.includes(address));
      const dropped = before.filter((address) => !addressesOf(service).includes(address));
      for (const address of [...changed, ...dropped]) yield `${keyOf(service)}/${address}`;
    }),
    watch(IPAddress, function* ({ metadata, spec }) {
      const { namespace, name } = spec?.parentRef ?? {};
      if (isManaged(metadata)) yield `${namespace}/${name}/${metadata?.name}`;
    }),
  ],
  reconcile(view, key) {
    const [namespace, rest] = splitKey(key);
    const [parent, address] = splitKey(rest);
    const found = view.get(IPAddress, "", address);
    if (found && !isManaged(found.metadata)) return [];
    const isHeld = addressesOf(view.get(Service, namespace, parent)).includes(address);
    const wanted = addressOf(namespace, parent, address);
    const isParents = found !== undefined && same(found.spec?.parentRef, wanted.spec.parentRef);
    if (isHeld === isParents) return [];
    const intents: Intent[] = [];
    if (found && (isHeld || isParents)) intents.push(removal(IPAddress, found));
    if (isHeld) intents.push({ do: "create", kind: IPAddress, object: wanted });
    return intents;
  },
};

const isManaged = (metadata: IPAddress["metadata"]): boolean =>
  metadata?.labels?.[MANAGED_BY.label] === MANAGED_BY.value;

const addressesOf = (service: Readonly<Service> | undefined): string[] =>
  (service?.spec?.clusterIPs ?? []).flatMap((address) => canonicalIp(address) ?? []);

function addressOf(namespace: string, parent: string, name: string): IPAddress {
  const labels = { [FAMILY_LABEL]: ipFamily(name) ?? "", [MANAGED_BY.label]: MANAGED_BY.value };
  return { metadata: { name, labels }, spec: { parentRef: { resource: "services", namespace, name: parent } } };
}
